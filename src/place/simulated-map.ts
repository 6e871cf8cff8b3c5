import { type Gain, gainOf } from "../core/paired-gain.ts";
import { mean, sum } from "../core/statistics.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { SimConfig } from "../sim/config.ts";
import type { RunResult } from "../sim/result.ts";
import type { JudgedMap, SimulatedMap } from "./comparison.ts";

/** A run with a placement. */
export interface PlacedRun {
  readonly run: RunResult;
  readonly forecast: Forecast;
}

/** Mean tokens of a step, over all data-parallel ranks; 1 at least. */
export function tokensPerStep(runs: readonly PlacedRun[]): number {
  const tokens = sum(runs.map(({ run }) => run.promptTokensComputed + run.outputTokens));
  return Math.max(1, Math.round(tokens / Math.max(1, sum(runs.map(({ run }) => run.steps)))));
}

/** after / before - 1, where more is better. */
export const riseOf = ({ share, halfWidth }: Gain): Gain => ({ share: -share, halfWidth });

/** What the runs of a map came to, against those of the map in use. */
export function simulatedMap(
  { policy, redundant, isCurrent }: Pick<JudgedMap, "policy" | "redundant" | "isCurrent">,
  runs: readonly PlacedRun[],
  currentRuns: readonly PlacedRun[],
  { scheduler, mapping }: Pick<SimConfig, "scheduler" | "mapping">,
): SimulatedMap {
  const values = (of: (forecast: Forecast) => number | null, from = runs) =>
    from.map(({ forecast }) => of(forecast) ?? Number.NaN);
  const gain = (of: (forecast: Forecast) => number | null) => gainOf(values(of, currentRuns), values(of));
  const perSecond = ({ throughput }: Forecast) => throughput.outputTokensPerSecond;
  return {
    policy,
    redundant,
    isCurrent,
    ttftMs: mean(values(({ latency }) => latency.ttft.mean)),
    tpotMs: mean(values(({ latency }) => latency.tpot.mean)),
    tokensPerSecond: mean(values(perSecond)),
    imbalance: mean(values(({ experts }) => experts?.imbalance ?? 1)),
    waitShare: mean(values(({ timeShare }) => timeShare.expertWait)),
    exchangeShare: mean(values(({ timeShare }) => timeShare.dispatch + timeShare.combine)),
    kvPeakShare: Math.max(...runs.map(({ run: { kv } }) => (kv.blocks === 0 ? 0 : kv.peakBlocks / kv.blocks))),
    kvTokens: runs[0]!.run.kv.blocks * scheduler.blockTokens * mapping.dp,
    gain: isCurrent
      ? null
      : {
          time: gain(({ latency }) => latency.e2e.mean),
          ttft: gain(({ latency }) => latency.ttft.mean),
          tpot: gain(({ latency }) => latency.tpot.mean),
          throughput: riseOf(gain(perSecond)),
        },
  };
}
