import { expect, test } from "vitest";
import { splitByTime } from "../../src/trace/split-by-time.ts";
import { markovRouting } from "./markov-routing.ts";

const shape = { experts: 8, topK: 2, layers: 2, keep: 0.3, follow: 0.3, seed: 3 };

test("whole sequences of every domain, the earlier ones on one side", () => {
  const table = markovRouting({ ...shape, domains: 2, sequences: 5, sequenceTokens: 10 });
  const { earlier, later, cut, leftOut } = splitByTime(table)!;
  expect([cut, leftOut]).toEqual([false, 0]);
  expect([...earlier.sequenceStarts, ...earlier.domainStarts]).toEqual([0, 10, 20, 30, 40, 0, 20, 40]);
  expect([...later.sequenceStarts, ...later.domainStarts]).toEqual([0, 10, 20, 30, 40, 50, 60, 0, 30, 60]);
  const stride = table.layers * table.topK;
  expect(earlier.ids.subarray(0, 20 * stride)).toEqual(table.ids.subarray(0, 20 * stride));
  expect(later.ids.subarray(30 * stride)).toEqual(table.ids.subarray(70 * stride));
});

test("a domain of one sequence is left out where others have more, and cut where none has", () => {
  const two = markovRouting({ ...shape, domains: 1, sequences: 3, sequenceTokens: 10 });
  const mixed = { ...two, domains: ["a", "b"], domainStarts: Uint32Array.of(0, 20, 30) };
  const split = splitByTime(mixed)!;
  expect([split.cut, split.leftOut, split.earlier.rows, split.later.rows]).toEqual([false, 10, 10, 10]);
  const lone = splitByTime(markovRouting({ ...shape, domains: 2, sequences: 1, sequenceTokens: 10 }))!;
  expect([lone.cut, lone.earlier.rows, lone.later.rows]).toEqual([true, 10, 10]);
  expect([...lone.later.domainStarts]).toEqual([0, 5, 10]);
  expect(splitByTime(markovRouting({ ...shape, domains: 1, sequences: 1, sequenceTokens: 1 }))).toBeNull();
});
