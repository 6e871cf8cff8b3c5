import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/core/errors.ts";
import { checkDesign, type Design, pathsOf, pointCount, pointsOf } from "../../../src/plan/design/design.ts";
import { latinHypercube } from "../../../src/plan/design/latin-hypercube.ts";
import { rangeOf, valueAt } from "../../../src/plan/design/range.ts";
import { type DesignWords, readDesign } from "../../../src/plan/design/read-design.ts";

const words = (some: Partial<DesignWords>): DesignWords => ({
  vary: [],
  ranges: [],
  points: null,
  seed: null,
  ...some,
});
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("latinHypercube", () => {
  test("has one point in every part of every axis, and a further axis changes no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6 }), seeds, (points, axes, seed) => {
        const cube = latinHypercube(points, axes, seed);
        const parts = Array.from({ length: points }, (_, i) => i);
        for (let axis = 0; axis < axes; axis++)
          expect(cube.map((point) => Math.floor(point[axis]! * points)).sort((a, b) => a - b)).toEqual(parts);
        expect(latinHypercube(points, axes + 1, seed).map((point) => point.slice(0, axes))).toEqual(cube);
      }),
    );
  });

  test("axes and seeds are independent of one another", () => {
    const cube = latinHypercube(50, 2, 1);
    expect(cube.map(([a]) => a)).not.toEqual(cube.map(([, b]) => b));
    expect(latinHypercube(50, 2, 2)).not.toEqual(cube);
  });
});

describe("ranges", () => {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const ends = fc.uniqueArray(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 2 });

  test("values lie between the ends, and grow with their place", () => {
    fc.assert(
      fc.property(ends, place, place, fc.constantFrom("linear", "log"), (pair, one, other, scale) => {
        const [from, to] = pair.sort((a, b) => a - b) as [number, number];
        const range = rangeOf("seed", String(from), String(to), scale, "range");
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map((at) => Number(valueAt(range, at)));
        expect(low).toBeGreaterThanOrEqual(from);
        expect(high).toBeLessThanOrEqual(to);
        expect(low).toBeLessThanOrEqual(high!);
      }),
    );
  });

  test("whole ends give whole values, each as often as the others on an even scale", () => {
    const range = rangeOf("seed", 3, 7, "linear", "range");
    const values = latinHypercube(50, 1, 1).map(([at]) => valueAt(range, at!));
    for (const value of ["3", "4", "5", "6", "7"]) expect(values.filter((one) => one === value)).toHaveLength(10);
    const ratio = rangeOf("seed", 1, 1000, "log", "range");
    for (const [at] of latinHypercube(50, 1, 1)) expect(valueAt(ratio, at!)).toMatch(/^\d+$/);
    expect(valueAt(rangeOf("a", "2.0", "8", "linear", "range"), 0.123)).toBe("2.738");
  });

  test("half of a range by ratio lies below the geometric mean", () => {
    const range = rangeOf("seed", "1.0", "100.0", "log", "range");
    expect(latinHypercube(100, 1, 1).filter(([at]) => Number(valueAt(range, at!)) < 10)).toHaveLength(50);
  });

  test("units stay", () => {
    expect(valueAt(rangeOf("a", "4/s", "32/s", "linear", "range"), 0)).toBe("4/s");
    expect(valueAt(rangeOf("a", "0.5 GB", "1.5 GB", "linear", "range"), 0.5)).toBe("1GB");
  });

  test.each([
    ["5", "5"],
    ["9", "1"],
    ["1/s", "2/min"],
    ["a", "b"],
    ["1e999", "2"],
    ["", "1"],
  ])("%s to %s is refused", (from, to) => {
    expect(() => rangeOf("a", from, to, "linear", "--range a")).toThrow(UsageError);
  });

  test("a scale by ratio starts above 0", () => {
    expect(() => rangeOf("a", 0, 4, "log", "--range a")).toThrow("above 0");
  });
});

const path = fc.constantFrom("a", "b", "c.d", "e[0]", "slo.ttft{class:x.y}", "z");
const designs = fc
  .record({
    paths: fc.uniqueArray(path, { minLength: 3, maxLength: 6 }),
    cases: fc.integer({ min: 0, max: 3 }),
    sizes: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })),
    points: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ paths: [a, b, c], cases, sizes, points }): Design => {
    const texts = (count: number) => Array.from({ length: count }, (_, i) => String(i));
    return {
      cases: texts(cases).map((text) => [{ path: "first", text }]),
      matrix: [
        { path: a!, texts: texts(sizes[0]) },
        { path: b!, texts: texts(sizes[1]) },
      ],
      sample: points === 0 ? null : { points, seed: 1, ranges: [rangeOf(c!, 0, 99, "linear", "range")] },
    };
  });

describe("a design", () => {
  test("is the product of its parts, counted without being made, cases outermost and samples innermost", () => {
    fc.assert(
      fc.property(designs, (design) => {
        const all = [...pointsOf(design)];
        expect(all).toHaveLength(pointCount(design));
        const { cases, matrix, sample } = design;
        const product = Math.max(1, cases.length) * matrix[0]!.texts.length * matrix[1]!.texts.length;
        expect(all).toHaveLength(product * (sample?.points ?? 1));
        expect(all.every((values) => values.map((value) => value.path).join() === pathsOf(design).join())).toBe(true);
        const inner = sample?.points ?? 1;
        for (const [i, values] of all.entries()) {
          expect(values.at(-1)).toEqual(sample === null ? values.at(-1) : all[i % inner]!.at(-1));
          if (cases.length > 0) expect(values[0]!.text).toBe(String(Math.floor((i * cases.length) / all.length)));
        }
        if (sample === null) expect(new Set(all.map((values) => JSON.stringify(values))).size).toBe(all.length);
      }),
    );
  });

  test.each<[string, Partial<DesignWords>, string]>([
    ["a path with values in two places", { vary: ["a=1,2"], ranges: ["a=1..9"], points: 3 }, "matrix and ranges"],
    ["a path with values twice", { vary: ["a=1", "a=2"] }, "matrix and matrix"],
    ["a value that replaces one inside it", { vary: ["a.b=1,2", "a={},null"] }, "before that of a.b"],
    ["more configurations than a table has", { ranges: ["a=1..9"], vary: ["b=1,2"], points: 1_000_000 }, "1000000"],
  ])("%s is refused", (_what, some, message) => {
    expect(() => checkDesign(readDesign(undefined, words(some)))).toThrow(message);
  });

  test("a value may add to one before it", () => {
    expect(() => checkDesign(readDesign(undefined, words({ vary: ["a={b: 1},{b: 2}", "a.c=1,2"] })))).not.toThrow();
  });
});

describe("words of the command line", () => {
  test.each([
    ["a=1,2", ["1", "2"]],
    ["a={b: 1, c: [2, 3]},null", ["{b: 1, c: [2, 3]}", "null"]],
    [`a="x,y",'it''s, so',z`, [`"x,y"`, "'it''s, so'", "z"]],
    [String.raw`a="x\",y",z`, [String.raw`"x\",y"`, "z"]],
    ["a=it's,that's", ["it's", "that's"]],
    ["a=p(50)<1s,[p(99)<2s, p(50)<1s]", ["p(50)<1s", "[p(99)<2s, p(50)<1s]"]],
    ["a=x),y", ["x)", "y"]],
    ["slo.ttft{class:a.b}=p(50)<1s", ["p(50)<1s"]],
  ])("%s is split between values alone", (word, texts) => {
    expect(readDesign(undefined, words({ vary: [word] })).matrix[0]!.texts).toEqual(texts);
  });

  test.each<Partial<DesignWords>>([
    { vary: ["a"] },
    { vary: ["a="] },
    { vary: ["=1"] },
    { vary: ["a=1,,2"] },
    { ranges: ["a=1"], points: 2 },
    { ranges: ["a=1.."], points: 2 },
    { ranges: ["a=1..2"] },
    { points: 2 },
    { seed: 2 },
  ])("%j is refused as a usage error", (some) => {
    expect(() => readDesign(undefined, words(some))).toThrow(UsageError);
  });

  test("an axis of the command line replaces that of the scenario, whatever kind it is of", () => {
    const section = {
      cases: [{ a: 1, b: 2 }],
      matrix: { c: [1, 2] },
      sample: { points: 3, seed: 4, ranges: { d: { from: 1, to: 9, scale: "linear" as const } } },
    };
    const design = readDesign(section, words({ vary: ["a=7", "c=8", "d=9"] }));
    expect(design.cases).toEqual([[{ path: "b", text: "2" }]]);
    expect(design.matrix.map((axis) => [axis.path, axis.texts])).toEqual([
      ["a", ["7"]],
      ["c", ["8"]],
      ["d", ["9"]],
    ]);
    expect(design.sample).toBeNull();
  });
});
