import { mean } from "../core/statistics.ts";
import type { SimConfig } from "../sim/config.ts";
import type { JudgedMap, SimulatedMap } from "./comparison.ts";
import { type PlacedRun, runFigures, valuesOf } from "./placed-runs.ts";
import { stepTimes } from "./step-parts.ts";

/** What the runs of a map came to, against those of the map in use. */
export function simulatedMap(
  { policy, redundant, isCurrent }: Pick<JudgedMap, "policy" | "redundant" | "isCurrent">,
  runs: readonly PlacedRun[],
  currentRuns: readonly PlacedRun[],
  config: SimConfig,
): SimulatedMap {
  return {
    policy,
    redundant,
    isCurrent,
    ...runFigures(runs, currentRuns, config),
    imbalance: mean(valuesOf(runs, ({ experts }) => experts?.imbalance ?? 1)),
    waitShare: mean(valuesOf(runs, ({ timeShare }) => timeShare.expertWait)),
    exchangeShare: mean(valuesOf(runs, ({ timeShare }) => timeShare.dispatch + timeShare.combine)),
    kvPeakShare: Math.max(...runs.map(({ run: { kv } }) => (kv.blocks === 0 ? 0 : kv.peakBlocks / kv.blocks))),
    stepNs: stepTimes(runs),
  };
}
