import type { MilpForm } from "../by-milp.ts";
import { chosenIn, MilpBuilder } from "../milp-builder.ts";
import { defaultLimits } from "../solver.ts";
import type { PartitionProblem } from "./partition-problem.ts";
import { partitionBySweeps } from "./sweeps.ts";

/**
 * Columns x[layer, item, part], then the cost of each pair of items with traffic: at least that of the distance to the other one's part where
 * an item is in a part, and nothing otherwise. Exact, as the other item is in one part.
 */
export const partitionMilp: MilpForm<PartitionProblem, Uint16Array> = {
  size: { columnsMax: 5_000, columns: ({ layers, items, parts, traffic }) => layers * items * parts + traffic.length },
  milp: (problem) => {
    const { layers, items, parts, traffic, distance, sizes } = problem;
    const x = (layer: number, item: number, part: number) => (layer * items + item) * parts + part;
    const milp = new MilpBuilder();
    for (let column = 0; column < layers * items * parts; column++) milp.binary();
    for (const tokens of traffic) milp.real(tokens, 0, Infinity);
    for (let layer = 0; layer < layers; layer++) {
      for (let item = 0; item < items; item++) {
        for (let part = 0; part < parts; part++) milp.term(x(layer, item, part), 1);
        milp.row(1, 1);
      }
      for (let part = 0; part < parts; part++) {
        for (let item = 0; item < items; item++) milp.term(x(layer, item, part), 1);
        milp.row(sizes[layer * parts + part]!, sizes[layer * parts + part]!);
      }
    }
    for (const [pair, tokens] of traffic.entries()) {
      if (tokens === 0) continue;
      const layer = Math.floor(pair / (items * items));
      const [from, to] = [Math.floor(pair / items) % items, pair % items];
      for (let part = 0; part < parts; part++) {
        const away = distance.subarray(part * parts, (part + 1) * parts);
        const most = away.reduce((largest, each) => Math.max(largest, each), 0);
        milp.term(layers * items * parts + pair, 1);
        for (let there = 0; there < parts; there++)
          if (away[there]! > 0) milp.term(x(layer + 1, to, there), -away[there]!);
        milp.term(x(layer, from, part), -most);
        milp.row(-most, Infinity);
      }
    }
    return milp.build();
  },
  solution: ({ layers, items, parts }, values) => chosenIn(values, layers * items, parts),
  start: (problem) => {
    const { layers, items, parts, traffic, distance } = problem;
    const partOf = partitionBySweeps(problem, defaultLimits).solution!;
    const values = new Float64Array(layers * items * parts + traffic.length);
    for (const [item, part] of partOf.entries()) values[item * parts + part] = 1;
    for (const pair of traffic.keys()) {
      const layer = Math.floor(pair / (items * items));
      const from = partOf[layer * items + (Math.floor(pair / items) % items)]!;
      values[layers * items * parts + pair] = distance[from * parts + partOf[(layer + 1) * items + (pair % items)]!]!;
    }
    return values;
  },
};
