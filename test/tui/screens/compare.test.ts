import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reportsOf } from "../../../scripts/example-run.ts";
import { compareForecasts } from "../../../src/forecast/baseline.ts";
import { verdictOfChange } from "../../../src/forecast/compare/change-verdict.ts";
import type { BaselineDelta, Forecast } from "../../../src/forecast/forecast.ts";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { type CompareState, pairOf, sortedDeltas } from "../../../src/tui/screens/compare.ts";
import { drawsWords } from "../../../src/tui/screens/compare-words.ts";
import type { AppState } from "../../../src/tui/state/app-state.ts";
import type { Event } from "../../../src/tui/state/events.ts";
import { deltaTable } from "../../../src/tui/view/delta-table.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { begun, forecast, key, keys, request, told } from "../example.ts";

const slower = await reportsOf(2, { ...request, settings: ["policy.offload.slots=2"] });
const { forecast: fewer } = slower.at(-1) as { readonly forecast: Forecast };
const deltas = compareForecasts(forecast, fewer);
const loaded = (of: Forecast): Event => ({ kind: "loaded", forecast: of, file: "saved.json", show: false });
const opened = (size = { width: 120, height: 40 }): AppState =>
  told(begun(size), loaded(forecast), loaded(fewer), key("8"));
const own = (state: AppState) => state.own["compare"] as CompareState;
const bodyOf = (state: AppState) => frame(state, plainPalette).slice(2, -2);

const delta = fc
  .record({
    before: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
    after: fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 })),
    worseBy: fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 })),
    halfWidth: fc.option(fc.double({ noNaN: true, min: 0, max: 1e6 })),
  })
  .map((figures) => ({ ...deltas[0]!, ...figures }) as BaselineDelta);

describe("the two that are compared", () => {
  test("are the last two results, the earlier one before", () => {
    const three = told(opened(), loaded(forecast));
    expect(pairOf(three.core, false)).toMatchObject({ before: { id: 2 }, after: { id: 3 } });
    expect(pairOf(three.core, true)).toMatchObject({ before: { id: 3 }, after: { id: 2 } });
  });

  test("are those that are marked once there are two", () => {
    const three = told(opened(), loaded(forecast));
    const marked = (...runs: number[]) =>
      told(three, { kind: "intents", intents: runs.map((run) => ({ kind: "mark", run })) }).core;
    expect(pairOf(marked(1, 2), false)).toMatchObject({ before: { id: 1 }, after: { id: 2 } });
    expect(pairOf(marked(2, 1), false)).toMatchObject({ before: { id: 1 }, after: { id: 2 } });
    expect(pairOf(marked(1), false)).toMatchObject({ before: { id: 2 }, after: { id: 3 } });
  });

  test("are two: with one there is nothing to see, and what makes it two is said", () => {
    expect(pairOf(begun().core, false)).toBeNull();
    const one = told(begun(), loaded(forecast), key("8"));
    expect(bodyOf(one).join(" ")).toContain("Two results are compared");
    for (const name of ["s", "x", "j", "G"]) expect(() => frame(told(one, key(name)), plainPalette)).not.toThrow();
  });
});

describe("the differences", () => {
  test("are those of `run --baseline`, none lost, sorted or not", () => {
    expect(deltas.length).toBeGreaterThan(10);
    expect(sortedDeltas(deltas, false)).toBe(deltas);
    expect(new Set(sortedDeltas(deltas, true))).toEqual(new Set(deltas));
  });

  test("beyond their interval come first, then those within it, then what is the same", () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 30 }), (list) => {
        const sorted = sortedDeltas(list, true);
        expect(new Set(sorted)).toEqual(new Set(list));
        const order = { missing: 0, better: 1, worse: 1, unknown: 2, noise: 2, same: 2 };
        const known = sorted.filter(({ before }) => Math.abs(before) > 1);
        const small = known.filter(
          ({ before, worseBy }) => Math.abs((worseBy ?? 1e9) / before) > 1e-3 || worseBy === 0,
        );
        for (const [i, one] of small.entries()) {
          if (i === 0) continue;
          const last = small[i - 1]!;
          if (order[verdictOfChange(last)] === 2 && order[verdictOfChange(one)] < 2)
            expect(Math.abs(last.worseBy! / last.before) / 1e6).toBeGreaterThan(Math.abs(one.worseBy! / one.before));
        }
        const again = sortedDeltas(sorted, true);
        expect(again).toEqual(sorted);
      }),
    );
  });

  test("say how they stand by word and sign, not by colour alone", () => {
    const table = deltaTable(deltas);
    for (let row = 0; row < table.rows; row++) {
      const stand = verdictOfChange(deltas[row]!);
      expect(table.cell(row, 0)).toBe(stand);
      expect(table.cell(row, 1)).toBe(deltas[row]!.metric);
      if (deltas[row]!.worseBy === 0) expect(table.cell(row, 4)).not.toMatch(/[1-9]/);
    }
    const hits = deltas.find(({ metric }) => metric === "expertCacheHit")!;
    expect([verdictOfChange(hits), hits.worseBy! > 0]).toEqual(["unknown", true]);
  });

  test("of a result with itself are none", () => {
    for (const one of compareForecasts(forecast, forecast)) expect(verdictOfChange(one)).toBe("same");
  });

  test("of less than 0.5 % are none where there is no interval, and stand by it where there is one", () => {
    const of = (worseBy: number, halfWidth: number | null) =>
      verdictOfChange({ ...deltas[0]!, before: 1000, after: 1000 + worseBy, worseBy, halfWidth });
    expect([of(4.9, null), of(-4.9, null), of(5.1, null), of(-5.1, null)]).toEqual([
      "same",
      "same",
      "unknown",
      "unknown",
    ]);
    expect([of(4.9, 1), of(-4.9, 1), of(4.9, 5)]).toEqual(["worse", "better", "noise"]);
    expect(verdictOfChange({ ...deltas[0]!, before: 0, after: 1e-9, worseBy: 1e-9, halfWidth: null })).toBe("unknown");
  });

  test("of shares are points, of what grew more than tenfold times, of all others percent", () => {
    const cells = (figures: Partial<BaselineDelta>) => {
      const table = deltaTable([{ ...deltas[0]!, worseBy: 1, ...figures }]);
      return [table.cell(0, 4), table.cell(0, 5)];
    };
    const share = { unit: "share", before: 0.8, after: 0.903, halfWidth: 0.004 } as const;
    expect(cells(share)).toEqual(["+10.3 points", "0.4 points"]);
    expect(cells({ ...share, before: 0, halfWidth: null })).toEqual(["+90.3 points", ""]);
    expect(cells({ ...share, before: 0.903, after: 0.8 })).toEqual(["-10.3 points", "0.4 points"]);
    const time = { unit: "ms", before: 100, halfWidth: 5 } as const;
    expect(cells({ ...time, after: 16_147 })).toEqual(["x 161", ""]);
    expect(cells({ ...time, after: 1000 })).toEqual(["+900.0%", "5.0%"]);
    expect(cells({ ...time, after: 1 })).toEqual(["-99.0%", "5.0%"]);
    expect(cells({ ...time, before: 0, after: 1, halfWidth: null })).toEqual(["+1 ms", ""]);
    expect(cells({ ...time, after: null, worseBy: null })).toEqual(["", ""]);
  });

  test("stand by their interval", () => {
    const of = (worseBy: number | null, halfWidth: number | null) =>
      verdictOfChange({ ...deltas[0]!, before: 10, after: 10 + (worseBy ?? 0), worseBy, halfWidth });
    expect([of(null, 1), of(0, 1), of(0.5, 1), of(-0.5, 1), of(2, 1), of(-2, 1), of(2, null)]).toEqual([
      "missing",
      "same",
      "noise",
      "noise",
      "worse",
      "better",
      "unknown",
    ]);
  });
});

describe("the screen", () => {
  test("names both, and every difference is found by scrolling", () => {
    const first = opened();
    expect(bodyOf(first)[0]).toContain("before screens");
    expect(bodyOf(first)[1]).toContain("now    screens");
    let state = opened({ width: 80, height: 24 });
    const seen = new Set<string>();
    for (let i = 0; i < deltas.length; i++) {
      for (const line of bodyOf(state)) for (const { metric } of deltas) if (line.includes(metric)) seen.add(metric);
      state = told(state, key("j"));
    }
    expect(seen.size).toBe(new Set(deltas.map(({ metric }) => metric)).size);
    expect(own(state).selected).toBe(deltas.length - 1);
  });

  test("says what differences come from: the change, nothing, or that one is a part of its run", () => {
    const part = { ...fewer, interrupted: true, requests: { ...fewer.requests, total: 90, completed: 7 } };
    expect(drawsWords(forecast, fewer)).toBe("same draws (seed 1): what differs comes from the change");
    expect(drawsWords(forecast, forecast)).toContain("nothing was changed");
    expect(drawsWords(forecast, part)).toBe("now is only the first 7 of 90 requests: what differs may come from that");
    expect(drawsWords(part, forecast)).toMatch(/^before is only the first 7 of 90 requests: /);
    expect(drawsWords(part, part)).toMatch(/^before is only .*, now is only .*: what differs may come from that$/);
    expect(drawsWords(part, { ...forecast, seed: 7 })).toContain("other draws (seed)");
  });

  test("cuts none of its words, however narrow", () => {
    for (const width of [60, 80, 120]) {
      const text = bodyOf(opened({ width, height: 24 }))
        .map((line) => line.trim())
        .join(" ");
      expect(text).toContain("what differs comes from the change");
      expect(text).toContain("better, worse: beyond the interval (+-); noise: within it; unknown: it has none");
    }
  });

  test("swaps and sorts by its keys, and back", () => {
    const state = opened();
    const swapped = told(state, key("x"));
    expect(bodyOf(swapped)).not.toEqual(bodyOf(state));
    expect(bodyOf(told(swapped, key("x")))).toEqual(bodyOf(state));
    expect(bodyOf(told(state, ...keys("s", "s")))).toEqual(bodyOf(state));
  });
});
