import { giveWay } from "../files/cooperative.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { comparedMetrics } from "./compared-metrics.ts";
import type { Forecast, Repetitions, SloVerdict } from "./forecast.ts";
import { type ForecastDeps, forecastScenario, runScenario } from "./forecast-scenario.ts";

/** Seeds are 32-bit words. */
const seedCount = 4_294_967_296;

/**
 * Seeds of the runs of a scenario: its own, and those that follow it, round from the largest to 0. They depend on nothing else, so that
 * the runs of two scenarios or settings with one seed draw alike, pair by pair (common random numbers).
 */
export const seedsOf = (seed: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (seed + i) % seedCount);

/**
 * Forecasts a scenario with `count` seeds (two or more). The forecast is that of the first, with what the runs come to
 * by seed; its SLOs are met where they are met with every seed. An interrupt keeps the runs that are finished. Throws as
 * {@link forecastScenario} does, for the first seed that cannot be run.
 */
export async function repeatScenario(scenario: Scenario, count: number, deps: ForecastDeps): Promise<Forecast> {
  const { onProgress, signal } = deps;
  const seeds = seedsOf(scenario.seed, count);
  const progress = (run: number) =>
    onProgress === undefined
      ? {}
      : { onProgress: (done: number, total: number) => onProgress(run * total + done, count * total) };
  const first = await forecastScenario(scenario, { ...deps, ...progress(0) });
  const runs = [first];
  // Details are those of the first run.
  const { watch: _, ...others } = deps;
  for (const [run, seed] of seeds.entries()) {
    if (run === 0) continue;
    // A short run has no pause of its own, and an interrupt would wait for the last of them.
    await giveWay();
    if (first.interrupted || signal?.aborted === true) break;
    const forecast = await finished(runScenario({ ...scenario, seed }, { ...others, ...progress(run) }), signal);
    if (forecast === null) break;
    runs.push(forecast);
  }
  return runs.length === 1 ? first : withRepetitions(runs, seeds.slice(0, runs.length));
}

/** The forecast of a run; null where an interrupt ended it before its end. */
async function finished(
  running: ReturnType<typeof runScenario>,
  signal: AbortSignal | undefined,
): Promise<Forecast | null> {
  try {
    const { forecast } = await running;
    return forecast.interrupted ? null : forecast;
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) return null;
    throw error;
  }
}

/** The first of several runs, with all of them as its repetitions. */
export function withRepetitions(runs: readonly Forecast[], seeds: readonly number[]): Forecast {
  const [first] = runs;
  const met = first!.slos.map((_, i) => runs.map(({ slos }) => slos[i]!.passed));
  const slos = first!.slos.map((slo, i) => overSeeds(slo, met[i]!, seeds));
  const values = comparedMetrics.map(({ name, of }) => [name, runs.map(of)] as const);
  return {
    ...first!,
    repetitions: {
      seeds,
      load: runs.map(({ load }) => load.verdict),
      metrics: Object.fromEntries(values.filter(([, list]) => list.some((value) => value !== null))),
      slos: met,
    } satisfies Repetitions,
    slos,
    passed: slos.every((verdict) => verdict.passed || verdict.level === "warn"),
  };
}

/** A verdict of the first seed as one over all: passed where it is with every seed, else with which it is not. */
function overSeeds(slo: SloVerdict, met: readonly boolean[], seeds: readonly number[]): SloVerdict {
  const missed = seeds.filter((_, i) => !met[i]);
  if (missed.length === 0) return slo;
  const stand = metLabel(met, seeds);
  return { ...slo, passed: false, reason: slo.reason === null ? stand : `${slo.reason}; ${stand}` };
}

/** Seeds that are named; more are counted alone. */
const seedsNamed = 5;

/** In how many runs an SLO was met: `met with 9 of 10 seeds, not with 4`. */
export function metLabel(met: readonly boolean[], seeds: readonly number[]): string {
  const missed = seeds.filter((_, i) => !met[i]);
  const count = `met with ${seeds.length - missed.length} of ${seeds.length} seeds`;
  if (missed.length === 0 || missed.length === seeds.length) return count;
  return missed.length > seedsNamed ? count : `${count}, not with ${missed.join(", ")}`;
}
