import { type Gain, gainOf } from "../core/paired-gain.ts";
import { mean, sum } from "../core/statistics.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { PoolConfig } from "../sim/config.ts";
import { kvBlockTokens } from "../sim/memory/kv-pools.ts";
import type { RunResult } from "../sim/result.ts";

/** A run with a placement or mapping. */
export interface PlacedRun {
  readonly run: RunResult;
  readonly forecast: Forecast;
}

/** Against what is in use: time saved, as shares of mean end-to-end latency, TTFT and TPOT; and throughput gained. */
export interface RunGain {
  readonly time: Gain;
  readonly ttft: Gain;
  readonly tpot: Gain;
  readonly throughput: Gain;
}

/** What runs that were the same but for what is compared came to. */
export interface RunFigures {
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly tokensPerSecond: number;
  /** Tokens of KV cache of a replica. */
  readonly kvTokens: number;
  /** null of what is in use. */
  readonly gain: RunGain | null;
}

/** A figure of each run; NaN where it has none. */
export const valuesOf = (runs: readonly PlacedRun[], of: (forecast: Forecast) => number | null): number[] =>
  runs.map(({ forecast }) => of(forecast) ?? Number.NaN);

/** Figures of runs with `config`, against those of what is in use; `runs` are these themselves of that. */
export function runFigures(
  runs: readonly PlacedRun[],
  currentRuns: readonly PlacedRun[],
  config: Pick<PoolConfig, "scheduler" | "mapping" | "cpKvCache">,
): RunFigures {
  const gain = (of: (forecast: Forecast) => number | null) => gainOf(valuesOf(currentRuns, of), valuesOf(runs, of));
  const time = ({ latency }: Forecast) => latency.e2e.mean;
  const ttft = ({ latency }: Forecast) => latency.ttft.mean;
  const tpot = ({ latency }: Forecast) => latency.tpot.mean;
  const perSecond = ({ throughput }: Forecast) => throughput.outputTokensPerSecond;
  return {
    ttftMs: mean(valuesOf(runs, ttft)),
    tpotMs: mean(valuesOf(runs, tpot)),
    tokensPerSecond: mean(valuesOf(runs, perSecond)),
    kvTokens: runs[0]!.run.kv.blocks * kvBlockTokens(config) * config.mapping.dp,
    gain:
      runs === currentRuns
        ? null
        : { time: gain(time), ttft: gain(ttft), tpot: gain(tpot), throughput: riseOf(gain(perSecond)) },
  };
}

/** after / before - 1, where more is better. */
const riseOf = ({ share, halfWidth }: Gain): Gain => ({ share: -share, halfWidth });

/** Tokens that runs computed, prompts and outputs alike; 1 at least. */
export const tokensOf = (runs: readonly PlacedRun[]): number =>
  Math.max(1, sum(runs.map(({ run }) => run.promptTokensComputed + run.outputTokens)));

/** Mean tokens of a step, over all data-parallel ranks; 1 at least. */
export const tokensPerStep = (runs: readonly PlacedRun[]): number =>
  Math.max(1, Math.round(tokensOf(runs) / Math.max(1, sum(runs.map(({ run }) => run.steps)))));
