import { calibrate, type FitOptions, type LayerGoal } from "./calibrate.ts";
import { LogWeights, type RoutingLogs } from "./routing-logs.ts";

/** Popularity and LRU hit rates that weights are wanted for. */
export interface LocalityGoal {
  /** Share of the selections by expert. */
  readonly popularity: readonly number[];
  /** Hit rate at each of the sizes given with the goals; none of them is wanted if there is no size. */
  readonly hitRate: readonly number[];
}

/**
 * Log weights for layers that are described by numbers instead of a trace. Depths of the LRU stack between two sizes
 * share one weight; those beyond the last size share one with unused experts.
 */
export function localityWeights(
  model: { readonly experts: number; readonly topK: number; readonly groups: number },
  sizes: readonly number[],
  goals: readonly LocalityGoal[],
  sequenceTokens: number,
  options: FitOptions,
): RoutingLogs {
  const { experts } = model;
  const layerGoals = goals.map((goal) => layerGoal(goal, sizes, model));
  const logs: RoutingLogs = {
    domains: [
      goals.map(({ popularity }) => ({
        base: new LogWeights(Float64Array.from(popularity, (share) => Math.log(share * experts + 1e-3) / 2)),
        recency: new LogWeights(new Float64Array(experts + 1)),
        lead: new LogWeights(new Float64Array(experts)),
        leadRepeat: new LogWeights(new Float64Array(1)),
      })),
    ],
    lifts: [],
    pairs: [],
  };
  const goal = {
    ...model,
    layers: goals.length,
    plan: [{ share: 1, sequenceTokens: [sequenceTokens] }],
    domains: [layerGoals],
    transitions: [],
    pairs: [],
  };
  calibrate(logs, goal, [0, ...sizes, experts + 1], options);
  return logs;
}

/** The goal as counts; hits between two sizes are spread evenly. */
function layerGoal(
  { popularity, hitRate }: LocalityGoal,
  sizes: readonly number[],
  { experts, topK }: { readonly experts: number; readonly topK: number },
): LayerGoal {
  const accesses = 1e6;
  const hits = new Float64Array(experts + 1);
  let from = 0;
  let before = 0;
  for (const [index, size] of sizes.entries()) {
    const rate = hitRate[index]! * accesses;
    for (let at = from + 1; at <= size; at++) hits[at] = before + ((rate - before) * (at - from)) / (size - from);
    from = size;
    before = rate;
  }
  for (let at = from + 1; at <= experts; at++) hits[at] = before;
  return {
    tokens: accesses / topK,
    counts: Float64Array.from(popularity, (share) => share * accesses),
    curve: { accesses, coldMisses: accesses - before, hits },
    leads: null,
  };
}
