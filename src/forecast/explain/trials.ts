import { InfeasibleError, InvalidInputError } from "../../core/errors.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { leastSample } from "../../resolve/request-samples.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SimConfig } from "../../sim/config.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { trialStepsMax } from "../advice/trial-length.ts";
import type { FinishedRun } from "../advice/try-changes.ts";
import { buildForecast } from "../build-forecast.ts";
import type { Forecast } from "../forecast.ts";
import type { Turned } from "../knobs/knob.ts";

/** What further runs of a scenario need from outside. */
export interface TrialDeps extends Surroundings {
  readonly signal?: AbortSignal;
  readonly giveWay?: (this: void) => Promise<void>;
}

/** Further runs of a finished one over its first requests, on the same draws. */
export interface Trials {
  /** Requests of each. */
  readonly requests: number;
  /** Without any change. */
  readonly before: Forecast;
  readonly turned: Turned;
  /** With a changed configuration; in words why there is no such run. */
  ofConfig(config: SimConfig): Promise<Forecast | string>;
  /** With settings laid over the scenario. */
  ofSettings(settings: readonly string[]): Promise<Forecast | string>;
}

/** Steps times layers of a trial that are worth the time, about: some seconds where routing is replayed. */
const layerStepsMax = 60_000;
/** Layers that a step costs where one layer stands for all like it. */
const layersAlike = 4;

/**
 * Requests of a trial: all where their steps are few, else as many as there is time for, and no fewer than can stand for all
 * (`leastSample`).
 */
export function requestsOfTrial({ scenario, resolved: { config }, run }: FinishedRun): number {
  const { workload, routing, model } = config;
  const total = workload.requests.count;
  const layers = routing.kind === "uniform" ? layersAlike : model.layers.length;
  const affordable = Math.floor((total * layerStepsMax) / Math.max(1, run.steps * layers));
  const clients = workload.kind === "closed" ? workload.concurrency : null;
  return Math.min(total, Math.max(affordable, leastSample(scenario.traffic, workload.requests, clients)));
}

/** Prepares trials over the first `requests` of a finished run: all of them are that run. */
export async function trialsOf(finished: FinishedRun, requests: number, deps: TrialDeps): Promise<Trials> {
  const { scenario, resolved, run, forecast } = finished;
  const { count } = resolved.config.workload.requests;
  const { signal, giveWay: pause = giveWay, ...surroundings } = deps;
  const whole = requests >= count;
  const length = whole ? [] : [`traffic.requests=${requests}`];
  const varied = (settings: readonly string[]): Scenario => ({
    ...scenario.vary([...length, ...settings]),
    slo: scenario.slo,
  });
  const resolve = (of: Scenario) => resolveScenario(of, surroundings, null, signal, resolved.routed);
  const stepsMax = trialStepsMax(run.steps, requests, count);
  const simulated = async (of: Scenario, tried: ResolvedScenario) => {
    let steps = 0;
    const result = await simulateCooperatively(tried.config, {
      giveWay: pause,
      onStep: () => {
        steps++;
      },
      shouldStop: () => signal?.aborted === true || steps > stepsMax,
    });
    signal?.throwIfAborted();
    return { result, forecast: buildForecast(of, tried, result) };
  };
  const attempt = async (of: () => Promise<Forecast>): Promise<Forecast | string> => {
    try {
      return await of();
    } catch (error) {
      if (error instanceof InfeasibleError || error instanceof InvalidInputError) return firstLine(error.message);
      throw error;
    }
  };
  const short = whole ? scenario : varied([]);
  const base = whole ? resolved : await resolve(short);
  const before = whole ? { result: run, forecast } : await simulated(short, base);
  return {
    requests: Math.min(requests, count),
    before: before.forecast,
    turned: { config: base.config, memory: before.result.pools.map(({ memory }) => memory) },
    ofConfig: (config) => attempt(async () => (await simulated(short, { ...base, config })).forecast),
    ofSettings: (settings) =>
      attempt(async () => {
        const of = varied(settings);
        return (await simulated(of, await resolve(of))).forecast;
      }),
  };
}

const firstLine = (text: string): string => text.split("\n")[0] ?? text;
