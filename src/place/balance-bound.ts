import { mean } from "../core/statistics.ts";
import { chanceOfEqual } from "../policy/placement/chance-imbalance.ts";
import type { BalanceBound, JudgedMap } from "./comparison.ts";
import type { PlacedRun } from "./placed-runs.ts";

/**
 * What could be won at most over the map in use. Waiting for the busiest rank is what perfect balance of every step would save; the
 * part of a step's imbalance that comes by chance no map of expert loads can save. Chance falls with the root of the step's size.
 */
export function balanceBound(
  { heldOut, fitted }: JudgedMap,
  runs: readonly PlacedRun[],
  { ranks, topK }: { readonly ranks: number; readonly topK: number },
  given: Pick<BalanceBound, "batch" | "judgedTokens" | "exchangeFollowsMap" | "computeBoundBatch">,
): BalanceBound {
  const { whole, step } = heldOut ?? fitted;
  const chance = chanceOfEqual(ranks, given.judgedTokens * topK);
  const lasting = whole.maxOverMean - 1;
  const ratio = (chance - 1) / lasting;
  return {
    step: step.maxOverMean,
    lasting: whole.maxOverMean,
    chance,
    batchNeeded: lasting < 1e-6 ? null : Math.max(1, Math.ceil(given.judgedTokens * ratio * ratio)),
    waitShare: mean(runs.map(({ forecast }) => forecast.timeShare.expertWait)),
    exchangeShare: mean(runs.map(({ forecast }) => forecast.timeShare.dispatch + forecast.timeShare.combine)),
    ...given,
  };
}
