import type { MilpForm } from "../by-milp.ts";
import { chosenIn, MilpBuilder } from "../milp-builder.ts";
import { defaultLimits } from "../solver.ts";
import { pairBounds } from "./chain-bound.ts";
import { type ChainProblem, pairCost } from "./chain-problem.ts";
import { chainBySweeps } from "./chain-sweeps.ts";

/**
 * Columns y[layer, cluster, gpu], then the time of every pair of layers, or of every pair of clusters where times are summed.
 * Products of y are made linear as in MoETuner: a cluster on `from` (y = 1) takes at least the time to where the other one is, and nothing is asked
 * otherwise. Rows stand for all GPUs of the other cluster at once, which is exact, as it is on one.
 */
export const chainMilp: MilpForm<ChainProblem, Uint16Array> = {
  size: { columnsMax: 5_000, columns: ({ layers, gpus }) => layers * gpus * gpus },
  milp: (problem) => {
    const { layers, gpus, traffic, distance, clusterItems, gpuItemsMax = Infinity } = problem;
    const y = (layer: number, cluster: number, gpu: number) => (layer * gpus + cluster) * gpus + gpu;
    const milp = new MilpBuilder();
    for (let column = 0; column < layers * gpus * gpus; column++) milp.binary();
    const least = pairBounds(problem);
    const sum = problem.minimise === "sum";
    const timeOf = (pair: number, from: number, to: number) =>
      layers * gpus * gpus + (sum ? (pair * gpus + from) * gpus + to : pair);
    for (let pair = 0; pair + 1 < layers; pair++)
      for (let each = 0; each < (sum ? gpus * gpus : 1); each++) milp.real(1, sum ? 0 : least[pair]!, Infinity);
    for (let layer = 0; layer < layers; layer++)
      for (let one = 0; one < gpus; one++) {
        for (let gpu = 0; gpu < gpus; gpu++) milp.term(y(layer, one, gpu), 1);
        milp.row(1, 1);
        for (let cluster = 0; cluster < gpus; cluster++) milp.term(y(layer, cluster, one), 1);
        milp.row(1, 1);
      }
    for (let pair = 0; pair + 1 < layers; pair++)
      for (let from = 0; from < gpus; from++)
        for (let to = 0; to < gpus; to++) {
          const tokens = traffic[(pair * gpus + from) * gpus + to]!;
          if (tokens === 0) continue;
          for (let gpu = 0; gpu < gpus; gpu++) {
            const away = distance.subarray(gpu * gpus, (gpu + 1) * gpus);
            const most = tokens * away.reduce((largest, each) => Math.max(largest, each), 0);
            milp.term(timeOf(pair, from, to), 1);
            for (let there = 0; there < gpus; there++)
              if (away[there]! > 0) milp.term(y(pair + 1, to, there), -tokens * away[there]!);
            milp.term(y(pair, from, gpu), -most);
            milp.row(-most, Infinity);
          }
        }
    if (sum)
      for (let pair = 0; pair + 1 < layers; pair++) {
        for (let each = 0; each < gpus * gpus; each++) milp.term(timeOf(pair, 0, each), 1);
        milp.row(least[pair]!, Infinity);
      }
    if (clusterItems !== undefined)
      for (let gpu = 0; gpu < gpus; gpu++) {
        for (let layer = 0; layer < layers; layer++)
          for (let cluster = 0; cluster < gpus; cluster++)
            milp.term(y(layer, cluster, gpu), clusterItems[layer * gpus + cluster]!);
        milp.row(0, gpuItemsMax);
      }
    return milp.build();
  },
  solution: ({ layers, gpus }, values) => chosenIn(values, layers * gpus, gpus),
  start: (problem) => {
    const { layers, gpus, traffic, distance } = problem;
    const { solution: gpuOf } = chainBySweeps(problem, defaultLimits);
    if (gpuOf === null) return null;
    const times: number[] = [];
    for (let pair = 0; pair + 1 < layers; pair++)
      if (problem.minimise === "bottleneck") times.push(pairCost(problem, gpuOf, pair));
      else
        for (let at = 0; at < gpus * gpus; at++) {
          const [from, to] = [gpuOf[pair * gpus + Math.floor(at / gpus)]!, gpuOf[(pair + 1) * gpus + (at % gpus)]!];
          times.push(traffic[pair * gpus * gpus + at]! * distance[from * gpus + to]!);
        }
    const y = new Float64Array(layers * gpus * gpus);
    for (const [cluster, gpu] of gpuOf.entries()) y[cluster * gpus + gpu] = 1;
    return Float64Array.from([...y, ...times]);
  },
};
