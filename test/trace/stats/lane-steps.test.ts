import { expect, test } from "vitest";
import { laneSteps } from "../../../src/trace/stats/lane-steps.ts";
import { expertCounts } from "../../../src/trace/stats/popularity.ts";
import { markovRouting } from "../markov-routing.ts";

const table = markovRouting({
  experts: 6,
  topK: 2,
  layers: 3,
  domains: 1,
  sequences: 4,
  sequenceTokens: 15,
  keep: 0.2,
  follow: 0.2,
  seed: 5,
});

test("steps hold every token once", () => {
  const { tokens, counts } = laneSteps(table, 12, 100);
  expect([tokens, counts.length]).toEqual([12, 5]);
  for (let layer = 0; layer < 3; layer++)
    for (let expert = 0; expert < 6; expert++)
      expect(counts.reduce((sum, of) => sum + of[layer * 7 + expert]!, 0)).toBe(expertCounts(table, layer)[expert]);
});

test("more tokens than rows are one step, and at most so many steps are taken", () => {
  expect(laneSteps(table, 1000, 100)).toMatchObject({ tokens: 60, counts: { length: 1 } });
  expect(laneSteps(table, 2, 7).counts).toHaveLength(7);
});
