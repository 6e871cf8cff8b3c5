import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configurationsOf, inseparable } from "../../../src/calibrate/measured/repeats.ts";
import { examplePoint } from "./example-point.ts";

const at = (change: Partial<typeof examplePoint>) => ({ ...examplePoint, ...change });

describe("configurations", () => {
  test("gather rows that differ in date and result only", () => {
    const rows = [at({}), at({ measured: null, tpotMs: 18 }), at({ concurrency: 32 }), at({ ttftMs: null })];
    expect(configurationsOf(rows).map(({ points }) => points.length)).toEqual([3, 1]);
  });

  test.each(["model", "system", "engine", "version", "precision"] as const)("differ by %s", (key) => {
    expect(configurationsOf([at({}), at({ [key]: "other" })])).toHaveLength(2);
  });

  test("restated rows agree within half of the coarser last digit in both latencies", () => {
    const restated = (...rows: Parameters<typeof configurationsOf>[0]) => configurationsOf(rows)[0]?.restated.length;
    expect(restated(at({ tpotMs: 17.254, ttftMs: 210 }), at({ tpotMs: 17.25, ttftMs: 210.4 }))).toBe(1);
    expect(restated(at({ tpotMs: 17.256 }), at({ tpotMs: 17.25 }))).toBe(0);
    expect(restated(at({ ttftMs: 210.5 }), at({ ttftMs: 211.5 }))).toBe(0);
    expect(restated(at({ ttftMs: null }), at({ ttftMs: 210.5 }))).toBe(0);
    expect(restated(at({ tpotMs: 0.15 }), at({ tpotMs: 0.2 }))).toBe(1);
  });

  test("a rounded copy of any row restates it", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e5, noNaN: true }), fc.integer({ min: 0, max: 3 }), (tpotMs, digits) => {
        const rows = [at({ tpotMs }), at({ tpotMs: Number(tpotMs.toFixed(digits)) })];
        expect(configurationsOf(rows)[0]?.restated).toEqual([rows[1]]);
      }),
    );
  });
});

describe("inseparable parts", () => {
  test("hold every row once, and whole configurations", () => {
    const row = fc
      .record({
        version: fc.constantFrom("1", "2", "3"),
        concurrency: fc.constantFrom(4, 8),
        tpotMs: fc.constantFrom(1, 2, 3),
      })
      .map(at);
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
        const parts = inseparable(rows);
        expect(new Set(parts.flat()).size).toBe(rows.length);
        expect(parts.flat()).toHaveLength(rows.length);
        for (const { points } of configurationsOf(rows)) {
          const holding = parts.filter((part) => points.some((point) => part.includes(point)));
          expect(holding).toHaveLength(1);
        }
      }),
    );
  });

  test("join labels of the version and of a shape that share a measurement, also through a third", () => {
    const a = at({ version: "dev", tpotMs: 1 });
    const b = at({ version: "dev-20300102", tpotMs: 2 });
    const link = [at({ version: "nightly", tpotMs: 1 }), at({ version: "nightly", tpotMs: 2 })];
    expect(inseparable([a, b])).toEqual([[a], [b]]);
    expect(inseparable([a, b, ...link])).toEqual([[a, b, ...link]]);
    const relabelled = at({ model: "deepseek-ai/DeepSeek-R1", version: "dev", tpotMs: 1 });
    expect(inseparable([a, relabelled])).toEqual([[a, relabelled]]);
    const another = at({ model: "openai/gpt-oss-120b", version: "dev", tpotMs: 1 });
    expect(inseparable([a, another])).toEqual([[a], [another]]);
  });
});
