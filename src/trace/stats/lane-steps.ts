import { idsPerLayer, type RoutingTable } from "../routing-table.ts";

/** Selections of steps of a batch: [layers][experts + 1] each, the last counter of a layer for choices without an expert. */
export interface LaneSteps {
  readonly tokens: number;
  readonly counts: readonly Uint32Array[];
}

/**
 * Steps of `tokens` tokens, each from another place of the recording, as a server sees them that serves so many sequences at once:
 * lane i reads the rows from i / tokens of the table on. Every row is in one step, but for a remainder of less than a step. Of more
 * than `stepsMax` steps evenly spaced ones are taken. A table of fewer rows is one step of them all.
 */
export function laneSteps(table: RoutingTable, tokens: number, stepsMax: number): LaneSteps {
  const lanes = Math.min(tokens, table.rows);
  const steps = Math.floor(table.rows / lanes);
  const taken = Math.min(steps, stepsMax);
  const { layers, topK, ids } = table;
  const perLayer = idsPerLayer(table);
  const counts = Array.from({ length: taken }, (_, i) => {
    const step = Math.floor((i * steps) / taken);
    const sums = new Uint32Array(layers * perLayer);
    for (let lane = 0; lane < lanes; lane++) {
      let at = (lane * steps + step) * layers * topK;
      for (let layer = 0; layer < layers; layer++)
        for (let k = 0; k < topK; k++, at++) sums[layer * perLayer + ids[at]!]! += 1;
    }
    return sums;
  });
  return { tokens: lanes, counts };
}
