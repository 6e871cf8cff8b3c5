import { describe, expect, test } from "vitest";
import type { InvalidInputError } from "../../src/core/errors.ts";
import { diagnoseLoads } from "../../src/place/diagnose-loads.ts";
import { tokenLoads } from "../../src/place/recorded-loads.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { placementDiagnosisPage } from "../../src/report/placement-diagnosis.ts";
import { plantedRouting } from "./placed.ts";

const diagnose = (...planted: Parameters<typeof plantedRouting>) =>
  diagnoseLoads(tokenLoads(plantedRouting(...planted)), { ep: 8, nodes: 2, batch: 16 });

const shifting = diagnose(8, 0.6, 2, 32);

describe("the answer", () => {
  test("on even traffic is balanced, and that small steps are chance", () => {
    const found = diagnose(16, 16 / 64);
    expect(found.answer).toMatch(/^balanced: the busiest of 8 ranks has 1\.0/);
    expect(found.because[0]).toMatch(/^steps of 16 tokens are too small for a map/);
    expect(found.topics).toBeNull();
    const step = found.steps.find(({ tokens }) => tokens === 16)!;
    // A token's choices are distinct, so that recorded steps are a little more even than chance.
    expect(Math.abs(step.recorded! - step.byChance)).toBeLessThan(0.1);
  });

  test("on planted skew is imbalanced and lasting: a map of earlier traffic holds", () => {
    const found = diagnose(8, 0.6);
    expect(found.answer).toMatch(/^imbalanced, and it lasts/);
    expect(found.inOrder.maxOverMean).toBeGreaterThan(2);
    const [single] = found.copies;
    expect(single!.later).toBeLessThan(1.25);
    expect(found.laterInOrder).toBeGreaterThan(2);
    for (const { windows, fitted, inOrder } of found.ages) if (windows > 0) expect(fitted).toBeLessThan(inOrder / 1.5);
    for (const { bound, fitted } of found.copies) expect(fitted).toBeGreaterThanOrEqual(bound - 1e-6);
  });

  test("of topics says how many maps are worse than none", () => {
    const found = shifting;
    expect(found.topics!.names).toEqual(["domain 0", "domain 1"]);
    for (const [fit, row] of found.topics!.maxOverMean.entries())
      for (const [judged, value] of row.entries()) expect(value < 1.2).toBe(fit === judged);
    expect(found.because.join("\n")).toMatch(/topics: \d of 2 maps/);
  });

  test("of a few tokens is that they are too few", () => {
    const { ids, ...table } = plantedRouting(8, 0.6);
    const some = { ...table, ids: ids.subarray(0, 2 * table.layers * table.topK), rows: 2, sequenceStarts: [0, 2] };
    const { answer, wholeByChance } = diagnoseLoads(tokenLoads(some as never), { ep: 8, nodes: 2, batch: 16 });
    expect(wholeByChance).toBeGreaterThan(1.5);
    expect(answer).toMatch(/^too few tokens to tell/);
  });

  test("of sequences that choose alike for a while is that there are bursts", () => {
    const table = plantedRouting(16, 16 / 64);
    // Each stretch of 100 tokens repeats its first: over all of it even, step by step not.
    for (let row = 0; row < table.rows; row++) {
      const from = Math.floor(row / 400) * 400 * 16;
      table.ids.copyWithin(row * 16, from, from + 16);
    }
    const found = diagnoseLoads(tokenLoads(table), { ep: 8, nodes: 1, batch: 16 });
    expect(found.steps.find(({ tokens }) => tokens === 16)!.recorded).toBeGreaterThan(1.1);
    expect(found.touched!.nodes).toBe(1);
  });
});

test("loads by hand: two nodes, in order and round-robin", () => {
  const table = plantedRouting(8, 0.6);
  const { inOrder, nodesInOrder, roundRobin } = diagnoseLoads(tokenLoads(table), { ep: 2, nodes: 2, batch: 16 });
  const count = (of: (expert: number) => boolean) => table.ids.filter((expert) => of(expert)).length;
  expect(nodesInOrder).toBeCloseTo(inOrder.maxOverMean, 12);
  expect(inOrder.maxOverMean).toBeCloseTo((2 * count((e) => e < 32)) / table.ids.length, 12);
  expect(roundRobin).toBeLessThan(inOrder.maxOverMean);
});

test("the page fits narrow and wide terminals", () => {
  for (const width of [80, 120]) {
    const lines = terminalPage(placementDiagnosisPage(shifting), undefined, width).split("\n");
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    expect(lines.length).toBeLessThan(60);
  }
});

test("ranks, nodes and copies that do not go together are refused, all at once", () => {
  const loads = tokenLoads(plantedRouting(8, 0.6));
  const refused = (options: Partial<Parameters<typeof diagnoseLoads>[1]>) => {
    try {
      diagnoseLoads(loads, { ep: 8, nodes: 1, batch: 16, ...options });
    } catch (error) {
      return (error as InvalidInputError).problems.map(({ at }) => at);
    }
    return [];
  };
  expect(refused({ ep: 1 })).toEqual(["--ep"]);
  expect(refused({ ep: 65 })).toEqual(["--ep"]);
  expect(refused({ nodes: 3, redundant: [0, 5] })).toEqual(["--nodes", "--redundant"]);
});
