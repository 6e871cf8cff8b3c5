import { expect, test } from "vitest";
import { ExpertRanks } from "../../../src/sim/routing/expert-ranks.ts";
import { GroupWork } from "../../../src/sim/routing/group-work.ts";
import { StepRows } from "../../../src/sim/routing/step-rows.ts";
import { contiguousOn } from "../rebalance/build.ts";

test("work of groups stands side by side, and choices without an expert add up; a second step starts anew", () => {
  const ranks = new ExpertRanks(contiguousOn(2, 1), [0]);
  const groups = new GroupWork([ranks, ranks]);
  const rows = [
    [1, 2, 0, 0, 5, 0, 0, 0, 4],
    [0, 0, 0, 7, 0, 1, 1, 1, 3],
  ].map((counts) => {
    const step = new StepRows(9);
    step.counts.set(counts);
    return step;
  });
  const work = groups.newWork();
  for (let step = 0; step < 2; step++) {
    groups.split(rows, work);
    expect([...work.pairs]).toEqual([3, 5, 7, 3]);
    expect([...work.distinct]).toEqual([2, 1, 1, 3]);
    expect([...work.none]).toEqual([7]);
  }
});
