import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { FinishedRun } from "../advice/try-changes.ts";
import { requestsOfTrial, type TrialDeps, type Trials, trialsOf } from "../explain/trials.ts";
import type { Forecast } from "../forecast.ts";
import { runScenario } from "../forecast-scenario.ts";
import type { Knob } from "../knobs/knob.ts";
import { type KnobName, knobs } from "../knobs/knobs.ts";
import {
  type InputSensitivity,
  type Sensitivity,
  type SensitivityFigures,
  type SensitivityMetric,
  sensitivityMetrics,
  sensitivitySchemaVersion,
} from "./sensitivity.ts";

/** How inputs are turned. */
export interface SensitivityOptions {
  /** As a share of each input, in (0, 1); 0.2 if absent. */
  readonly spread?: number;
  /** Requests of each run; absent: as many as there is time for, and no fewer than can stand for all. */
  readonly requests?: number;
  /** The figure that inputs are ordered by; absent: output tokens/s of an overloaded deployment, else TPOT, else TTFT. */
  readonly by?: SensitivityMetric;
}

export interface SensitivityDeps extends TrialDeps {
  /** Runs that are over, of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs a scenario, then again with each numeric input lower and higher; see {@link sensitivityOfRun}. */
export async function sensitivityOf(
  scenario: Scenario,
  deps: SensitivityDeps,
  options: SensitivityOptions = {},
): Promise<Sensitivity> {
  const { onProgress: _, ...run } = deps;
  const finished = await runScenario(scenario, run);
  deps.signal?.throwIfAborted();
  return sensitivityOfRun(finished, deps, options);
}

/**
 * A finished run again with each numeric input a share lower and higher, one at a time, on the same draws: by how much its figures
 * move. Two runs an input. An aborted signal ends it with its reason.
 */
export async function sensitivityOfRun(
  finished: FinishedRun,
  deps: SensitivityDeps,
  { spread = 0.2, requests, by }: SensitivityOptions = {},
): Promise<Sensitivity> {
  const { onProgress, ...trialDeps } = deps;
  const trials = await trialsOf(finished, requests ?? requestsOfTrial(finished), trialDeps);
  const base = figuresOf(trials.before);
  const inputs: InputSensitivity[] = [];
  const others: Sensitivity["others"][number][] = [];
  const all = Object.entries(knobs) as [KnobName, Knob][];
  for (const [done, [input, knob]] of all.entries()) {
    onProgress?.(done, all.length);
    const ends = [await turned(trials, knob, 1 - spread), await turned(trials, knob, 1 + spread)] as const;
    const [low, high] = ends.map((end) => (typeof end === "string" ? null : end)) as [End, End];
    const why = ends.find((end) => typeof end === "string") ?? null;
    if (low === null && high === null) others.push({ input, label: knob.label, reason: why ?? "" });
    else inputs.push({ input, label: knob.label, low, high, why, effect: effectOf(base, low, high) });
  }
  onProgress?.(all.length, all.length);
  const first = by ?? defaultFigure(trials.before, base);
  inputs.sort((a, b) => (b.effect[first] ?? -1) - (a.effect[first] ?? -1));
  return {
    schemaVersion: sensitivitySchemaVersion,
    kind: "sensitivity",
    spread,
    requests: trials.requests,
    of: finished.forecast.requests.total,
    by: first,
    base,
    inputs,
    others,
  };
}

type End = SensitivityFigures | null;

async function turned(trials: Trials, knob: Knob, factor: number): Promise<SensitivityFigures | string> {
  const config = knob.scaled(trials.turned, factor);
  if (typeof config === "string") return config;
  const forecast = await trials.ofConfig(config);
  if (typeof forecast === "string") return forecast;
  return forecast.interrupted ? "its run takes too many steps" : figuresOf(forecast);
}

/** Latencies of an overloaded deployment are the length of its queue: none. */
function figuresOf({ load, latency, throughput, cost }: Forecast): SensitivityFigures {
  const settled = load.verdict !== "overloaded";
  return {
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    ttftP50: settled ? latency.ttft.p50 : null,
    ttftP99: settled ? latency.ttft.p99 : null,
    tpotMean: settled ? latency.tpot.mean : null,
    usdPerMillionOutputTokens: cost?.usdPerMillionOutputTokens ?? null,
  };
}

const defaultFigure = ({ load }: Forecast, { tpotMean }: SensitivityFigures): SensitivityMetric =>
  load.verdict === "overloaded" ? "outputTokensPerSecond" : tpotMean === null ? "ttftP50" : "tpotMean";

/** The larger change of either end, as a share of the figure without one. */
function effectOf(base: SensitivityFigures, ...ends: readonly End[]): SensitivityFigures {
  const metrics = Object.keys(sensitivityMetrics) as SensitivityMetric[];
  return Object.fromEntries(
    metrics.map((metric) => {
      const was = base[metric];
      const changes = ends.flatMap((end) => {
        const is = end?.[metric] ?? null;
        return was === null || is === null || was === 0 ? [] : [Math.abs(is - was) / was];
      });
      return [metric, changes.length === 0 ? null : Math.max(...changes)];
    }),
  ) as Record<SensitivityMetric, number | null>;
}
