import fc from "fast-check";
import { expect, test } from "vitest";
import { groupSteps } from "../../../src/trace/formats/step-grouping.ts";

function groupsOf(sizes: readonly number[], grouping: "auto" | "slots" | "steps") {
  const groupOf = groupSteps(sizes, grouping);
  return sizes.map((size, step) => Array.from({ length: size }, (_value, slot) => groupOf(step, slot)));
}

test("a large step is a prefill sequence in row order, equal decode steps continue their slots", () => {
  const [prefill, first, second, fewer] = groupsOf([5, 2, 2, 1], "auto");
  expect(prefill?.map(({ sequence, position, phase }) => [sequence, position, phase])).toEqual(
    [0, 1, 2, 3, 4].map((position) => [0, position, 1]),
  );
  expect(first?.map(({ sequence, position }) => [sequence, position])).toEqual([
    [1, 0],
    [2, 0],
  ]);
  expect(second?.map(({ sequence, position, phase }) => [sequence, position, phase])).toEqual([
    [1, 1, 2],
    [2, 1, 2],
  ]);
  expect(fewer?.map(({ sequence, position }) => [sequence, position])).toEqual([[3, 0]]);
});

test("steps that are sequences by decree keep their row order", () => {
  expect(
    groupsOf([2, 2], "steps")
      .flat()
      .map(({ sequence, position }) => [sequence, position]),
  ).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
});

test("sequences are numbered by first appearance and their positions count up from 0", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.constantFrom("auto", "slots", "steps"), (of, grouping) => {
      const lengths: number[] = [];
      for (const { sequence, position } of groupsOf(of, grouping).flat()) {
        expect(sequence).toBeLessThanOrEqual(lengths.length);
        if (sequence === lengths.length) lengths.push(0);
        expect(position).toBe(lengths[sequence]);
        lengths[sequence]! += 1;
      }
    }),
  );
});
