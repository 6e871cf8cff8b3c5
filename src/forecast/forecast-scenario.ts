import { type Observation, observeDeployment } from "../calibrate/observed/observe-deployment.ts";
import { giveWay, unlessAborted } from "../files/cooperative.ts";
import { inOneStretch } from "../files/signals.ts";
import type { Surroundings } from "../resolve/file-reader.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { RunView } from "../sim/outcome/run-view.ts";
import { type SimulateHooks, simulateCooperatively } from "../sim/simulate.ts";
import { type FinishedRun, tryChanges } from "./advice/try-changes.ts";
import { withBandEnds } from "./bands/band-ends.ts";
import { buildForecast } from "./build-forecast.ts";
import type { Forecast } from "./forecast.ts";
import { runPicture } from "./picture/run-picture.ts";

/** Who follows the run itself, batch by batch. */
export interface RunWatch extends Pick<SimulateHooks, "batchSteps" | "follow"> {
  onBatch(run: RunView, resolved: ResolvedScenario): void;
  /** What happens between batches, beside serving the signals and timers of the process. */
  giveWay(): Promise<void>;
}

/** What a forecast needs from outside: files, and someone who watches. */
export interface ForecastDeps extends Surroundings {
  /** Stops the run when aborted; what had happened until then is reported, marked as interrupted. */
  readonly signal?: AbortSignal;
  /** Requests finished, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly watch?: RunWatch;
  /** Measurements of the deployment, to adjust the engine to. */
  readonly observed?: Observation;
  /** Whether changes are tried against the bottleneck, which takes further short runs. Default false. */
  readonly advice?: boolean;
  /** Whether the deployment is also run at both ends of its error band. Default false. */
  readonly bands?: boolean;
  /** Whether the result keeps what charts show beside its figures: some tenths of a second with expert caches. Default false. */
  readonly picture?: boolean;
}

/**
 * Forecasts a scenario: resolves it, simulates it, judges the run. Throws InvalidInputError (exit 3) for inputs that
 * cannot be used, InfeasibleError (exit 4) for a deployment that does not fit.
 */
export async function forecastScenario(scenario: Scenario, deps: ForecastDeps): Promise<Forecast> {
  const finished = await runScenario(scenario, deps);
  const { signal, advice = false, bands = false } = deps;
  const { resolved, forecast: plain } = finished;
  if (plain.interrupted) return plain;
  const limits = scenario.slo?.perRequest ?? null;
  const watched = { giveWay, ...(signal === undefined ? {} : { signal }) };
  const forecast = bands ? await withBandEnds(plain, resolved, limits, watched) : plain;
  if (!advice) return forecast;
  const tried = await tryChanges({ ...finished, forecast }, deps);
  return { ...forecast, bottleneck: { ...forecast.bottleneck, advice: tried } };
}

/** The same with the run itself, and without what takes further runs. */
export async function runScenario(
  scenario: Scenario,
  deps: Omit<ForecastDeps, "advice" | "bands">,
): Promise<FinishedRun> {
  const { signal, onProgress, observed, watch, picture = false } = deps;
  let view: RunView | null = null;
  const stated = await unlessAborted(resolveScenario(scenario, deps, null, signal), signal);
  const resolved = observed === undefined ? stated : inOneStretch(() => observeDeployment(stated, observed));
  const run = await simulateCooperatively(resolved.config, {
    // Lets signals of the process be served while a long run goes on.
    giveWay: watch === undefined ? giveWay : () => watch.giveWay(),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { shouldStop: () => signal.aborted }),
    ...(watch?.batchSteps === undefined ? {} : { batchSteps: () => watch.batchSteps!() }),
    ...(watch?.follow === undefined ? {} : { follow: watch.follow }),
    onBatch: (run) => {
      view = run;
      watch?.onBatch(run, resolved);
    },
  });
  const forecast = buildForecast(scenario, resolved, run);
  return { scenario, resolved, run, forecast: picture ? { ...forecast, picture: runPicture(view!) } : forecast };
}
