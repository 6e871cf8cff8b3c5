import fc from "fast-check";
import { expect, test } from "vitest";
import {
  commonRuns,
  type RowRun,
  rowAfterDropping,
  rowsIn,
  WarmUpDetector,
} from "../../../src/trace/formats/warm-up.ts";

function runsOf(
  rows: readonly (readonly [ids: number[], weights: number[] | null])[],
  topK: number,
): readonly RowRun[] {
  const detector = new WarmUpDetector();
  for (const [ids, weights] of rows) detector.push(ids, weights, topK);
  return detector.finish();
}

const repeat = <T>(count: number, value: (i: number) => T) => Array.from({ length: count }, (_value, i) => value(i));

test("a long run of one set of experts with one set of weights is warm-up, in whatever order kernels list it", () => {
  const dummy = (i: number): [number[], number[]] =>
    i % 2 === 0
      ? [
          [4, 9],
          [0.75, 0.25],
        ]
      : [
          [9, 4],
          [0.25, 0.75],
        ];
  const real = (i: number): [number[], number[]] => [
    [i % 7, 8],
    [0.5 + i / 1000, 0.1],
  ];
  expect(runsOf([...repeat(3, real), ...repeat(40, dummy), ...repeat(50, real)], 2)).toEqual([{ from: 3, to: 43 }]);
  expect(runsOf(repeat(31, dummy), 2)).toEqual([]);
  expect(runsOf(repeat(32, dummy), 2)).toEqual([{ from: 0, to: 32 }]);
  const bare = (count: number) =>
    runsOf(
      repeat(count, (i) => [dummy(i)[0], null]),
      2,
    );
  expect([bare(63), bare(64)]).toEqual([[], [{ from: 0, to: 64 }]]);
});

test("two warm-up phases with other weights are two runs, and both are found", () => {
  const phase = (weight: number) =>
    repeat(64, (): [number[], number[]] => [
      [1, 2],
      [weight, 0.1],
    ]);
  expect(runsOf([...phase(0.5), ...phase(0.6)], 2)).toEqual([
    { from: 0, to: 64 },
    { from: 64, to: 128 },
  ]);
});

test("tokens that share their experts but not their weights are data", () => {
  expect(
    runsOf(
      repeat(500, (i) => [
        [1, 2],
        [0.5 + i / 1e6, 0.1],
      ]),
      2,
    ),
  ).toEqual([]);
});

test("experts may change places within a layer, not between layers", () => {
  const swapped = (i: number): [number[], null] => [i % 2 === 0 ? [1, 2, 3, 4] : [3, 4, 1, 2], null];
  expect(runsOf(repeat(100, swapped), 2)).toEqual([]);
  expect(
    runsOf(
      repeat(100, (i) => [i % 2 === 0 ? [1, 2, 3, 4] : [2, 1, 4, 3], null]),
      2,
    ),
  ).toEqual([{ from: 0, to: 100 }]);
});

const runs = fc
  .uniqueArray(fc.nat(60), { maxLength: 10 })
  .map((edges) => edges.sort((a, b) => a - b))
  .map((edges) =>
    Array.from({ length: edges.length >> 1 }, (_value, i) => ({ from: edges[2 * i]!, to: edges[2 * i + 1]! })),
  );
const covers = (list: readonly RowRun[], row: number) => list.some(({ from, to }) => from <= row && row < to);

test("rows are dropped only where every layer has a run", () => {
  fc.assert(
    fc.property(fc.array(runs, { minLength: 1, maxLength: 4 }), (lists) => {
      const common = commonRuns(lists);
      for (let row = 0; row < 61; row++) expect(covers(common, row)).toBe(lists.every((list) => covers(list, row)));
    }),
  );
});

test("kept rows close up in order", () => {
  fc.assert(
    fc.property(runs, (dropped) => {
      const kept = [...Array(61).keys()].flatMap((row) => rowAfterDropping(row, dropped) ?? []);
      expect(kept).toEqual([...Array(61 - rowsIn(dropped)).keys()]);
    }),
  );
});
