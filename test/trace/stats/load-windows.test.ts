import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { loadWindows, stepWindows } from "../../../src/trace/stats/load-windows.ts";
import { transitionCounts } from "../../../src/trace/stats/transition.ts";

const draws = new RandomStream(1, "rows");
const [rows, layers, topK, experts] = [23, 3, 2, 5];
/** Id 5 is no expert. */
const ids = Uint8Array.from({ length: rows * layers * topK }, () => draws.below(6));
const origin = { kind: "recorded", name: "test", digest: "", sourceRows: rows, phase: "unknown", notes: [] } as const;
const table: RoutingTable = {
  experts,
  topK,
  layers,
  rows,
  ids,
  sequenceStarts: Uint32Array.from([0, rows]),
  domains: ["all"],
  domainStarts: Uint32Array.from([0, rows]),
  modelLayers: [0, 1, 2],
  origin,
};
const idAt = (row: number, layer: number, k: number) => ids[(row * layers + layer) * topK + k]!;

test("windows count choices of equal stretches of rows, those without an expert left out", () => {
  const windows = loadWindows(table, 4);
  expect(windows).toHaveLength(4);
  const lengths = [0, 0, 0, 0];
  const naive = windows.map(() => new Float64Array(layers * experts));
  for (let row = 0; row < rows; row++) {
    const window = Math.floor((row * 4) / rows);
    lengths[window]! += 1;
    for (let layer = 0; layer < layers; layer++)
      for (let k = 0; k < topK; k++)
        if (idAt(row, layer, k) < experts) naive[window]![layer * experts + idAt(row, layer, k)]! += 1;
  }
  expect(windows).toEqual(naive);
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
  expect(loadWindows(table, 100)).toHaveLength(rows);
});

test("windows of counted steps add up to all steps", () => {
  const counts = Uint32Array.from({ length: 7 * layers * experts }, () => draws.below(9));
  const steps = { steps: 7, layers, experts, topK: null, counts, modelLayers: [0, 1, 2], origin };
  const windows = stepWindows(steps, 3);
  for (let at = 0; at < layers * experts; at++) {
    let all = 0;
    for (let step = 0; step < 7; step++) all += counts[step * layers * experts + at]!;
    expect(windows.reduce((sum, window) => sum + window[at]!, 0)).toBe(all);
    expect(windows[0]![at]).toBe(counts[at]! + counts[layers * experts + at]! + counts[2 * layers * experts + at]!);
  }
});

test("transitions to a later layer count tokens that chose both", () => {
  const found = transitionCounts(table, 0, 2);
  for (let a = 0; a < experts; a++)
    for (let b = 0; b < experts; b++) {
      let count = 0;
      for (let row = 0; row < rows; row++)
        for (let k = 0; k < topK; k++)
          for (let m = 0; m < topK; m++) if (idAt(row, 0, k) === a && idAt(row, 2, m) === b) count += 1;
      expect(found[a * experts + b]).toBe(count);
    }
  expect(transitionCounts(table, 1)).toEqual(transitionCounts(table, 1, 2));
});
