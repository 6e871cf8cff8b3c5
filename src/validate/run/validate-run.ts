import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import { requestRateOf, sameLoad } from "../../calibrate/likeness/load-likeness.ts";
import {
  benchmarkLikeness,
  checkLikeness,
  likenessNotes,
  runLikeness,
} from "../../calibrate/likeness/measurement-likeness.ts";
import type { MeasuredBenchmark } from "../../calibrate/measured/measured-benchmark.ts";
import type { MeasuredRun } from "../../calibrate/measured/measured-run.ts";
import { observeDeployment } from "../../calibrate/observed/observe-deployment.ts";
import { loopRequests, meanLength } from "../../calibrate/observed/observed-workload.ts";
import { holds, refuse } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import { unlessAborted } from "../../files/cooperative.ts";
import { inOneStretch } from "../../files/signals.ts";
import { buildForecast } from "../../forecast/build-forecast.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { ForecastDeps } from "../../forecast/forecast-scenario.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { SimConfig, Workload } from "../../sim/config.ts";
import { type RunResult, timeComponents } from "../../sim/result.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { compareReplay, compareStatistics } from "./compare-run.ts";
import { type RunValidation, runValidationSchemaVersion } from "./run-validation.ts";

/** One measured run: request by request, or a benchmark's results. */
export type MeasuredServing =
  | { readonly kind: "run"; readonly run: MeasuredRun }
  | { readonly kind: "benchmark"; readonly benchmark: MeasuredBenchmark; readonly file: string };

/** What a measurement has of a run request by request, and how its arrivals came about. */
interface Replay {
  readonly run: MeasuredRun;
  /** Clients of a closed loop; null where requests came by the clock. */
  readonly clients: number | null;
}

/** Files, watchers, and how a measurement is taken. */
export interface ValidateRunDeps extends ForecastDeps {
  readonly inputs: Forecast["inputs"];
  /** Whose load is forecast where a benchmark does not bring its requests; the scenario's unless given. */
  readonly load?: "scenario" | "measured";
  /** Whether it is compared although it states another model, device or load. */
  readonly acceptsDifferences?: boolean;
}

/**
 * Forecasts a measured run on the deployment of a scenario and compares the two. Measured requests take the place of the
 * scenario's traffic: their arrivals and lengths are replayed, none is left out as warm-up; where a benchmark only
 * states statistics, the scenario's own traffic is forecast, or with `load: "measured"` traffic as the benchmark states it.
 * SLOs of the scenario are not judged. With other measurements of the deployment as `observed`, the engine is adjusted
 * to them before. Throws InvalidInputError for a measurement of another deployment or load.
 */
export async function validateRun(
  scenario: Scenario,
  measured: MeasuredServing,
  deps: ValidateRunDeps,
): Promise<RunValidation> {
  const { observed, acceptsDifferences = false } = deps;
  const replay = replayOf(measured);
  const { slo: _notJudged, ...unjudged } = scenario;
  const served: Scenario = replay === null ? unjudged : { ...unjudged, warmup: { requests: 0 } };
  const resolvedWith = (workload: Workload | null) =>
    unlessAborted(resolveScenario(served, deps, workload, deps.signal), deps.signal);
  const own = await resolvedWith(replay === null ? null : workloadOf(replay));
  const adopted = deps.load === "measured" && replay === null ? measuredWorkload(own.config, measured) : null;
  const stated = adopted === null ? own : await resolvedWith(adopted);
  const likeness =
    measured.kind === "run"
      ? runLikeness(stated.config)
      : benchmarkLikeness(stated.config, measured.benchmark, sameLoad);
  checkLikeness(likeness, fileOf(measured), acceptsDifferences);
  const resolved = observed === undefined ? stated : inOneStretch(() => observeDeployment(stated, observed));
  const run = await simulated(resolved.config, deps);
  const forecast = buildForecast(served, resolved, run);
  return {
    schemaVersion: runValidationSchemaVersion,
    kind: "run-validation",
    moecastVersion: version,
    // The measurement stands for the requests that were made of it.
    inputs: [...deps.inputs, ...forecast.inputs.filter(({ role }) => replay === null || role !== "requests")],
    workload: replay !== null ? "replayed" : adopted === null ? "scenario" : "stated",
    notes: [...(measured.kind === "run" ? [] : measured.benchmark.notes), ...likenessNotes(likeness)],
    ...comparison(measured, replay, run, forecast),
    stepMs: stepTimes(run),
    forecast,
  };
}

const fileOf = (measured: MeasuredServing): string =>
  measured.kind === "run" ? measured.run.source.file : measured.file;

function replayOf(measured: MeasuredServing): Replay | null {
  if (measured.kind === "run") return { run: measured.run, clients: null };
  const { perRequest, concurrency, requestRate } = measured.benchmark;
  return perRequest === null ? null : { run: perRequest, clients: requestRate === null ? concurrency : null };
}

/** The load that a benchmark states: its clients, or its rate where the scenario's traffic comes by the clock too. */
function measuredWorkload(config: SimConfig, measured: MeasuredServing): Workload | null {
  if (measured.kind === "run") return null;
  const { concurrency, requestRate, meanPromptTokens, meanOutputTokens, requests: count } = measured.benchmark;
  const { workload } = config;
  if (requestRate !== null) return workload.kind === "open" ? atRate(workload, requestRate) : null;
  if (concurrency === null) return null;
  return loopRequests(config, {
    promptTokens: meanPromptTokens ?? meanLength(workload.requests.promptTokens),
    outputTokens: meanOutputTokens ?? meanLength(workload.requests.outputTokens),
    lengths: "mean",
    clients: concurrency,
    requests: count,
  }).workload;
}

/** The same requests at another rate. */
function atRate(workload: Workload & { readonly kind: "open" }, perSecond: number): Workload {
  const { requests } = workload;
  const own = requestRateOf(requests);
  if (!Number.isFinite(own)) return workload;
  return {
    kind: "open",
    requests: { ...requests, arrivalNs: requests.arrivalNs.map((atNs) => Math.round((atNs * own) / perSecond)) },
  };
}

function comparison(measured: MeasuredServing, replay: Replay | null, run: RunResult, forecast: Forecast) {
  if (replay !== null) {
    const compared = compareReplay(replay.run, run.requests, forecast);
    if (compared.pairs.length === 0 && !run.interrupted)
      refuse({
        file: replay.run.source.file,
        expected: "requests that complete on the scenario's deployment",
        found: `${forecast.requests.rejected} of ${forecast.requests.total} rejected`,
        hint: "longer than engine.maxModelLen or the KV cache",
      });
    return compared;
  }
  holds(measured.kind === "benchmark", "replay-or-statistics", () => "a run without requests");
  return compareStatistics(measured.benchmark, forecast);
}

function workloadOf({ run, clients }: Replay): Workload {
  const { origin } = run.requests;
  const requests = { ...run.requests, origin: { ...origin, name: basename(origin.name) } };
  return clients === null ? { kind: "open", requests } : { kind: "closed", requests, concurrency: clients };
}

/** Mean time of a step by component, ms. */
function stepTimes({ time, steps }: RunResult): RunValidation["stepMs"] {
  const entries = timeComponents.map((component) => [component, steps > 0 ? time[component] / steps / 1e6 : 0]);
  return Object.fromEntries(entries) as RunValidation["stepMs"];
}

const simulated = (config: Parameters<typeof simulateCooperatively>[0], deps: ForecastDeps): Promise<RunResult> =>
  simulateCooperatively(config, {
    giveWay: () => setImmediate(),
    ...(deps.onProgress === undefined ? {} : { onProgress: deps.onProgress }),
    ...(deps.signal === undefined ? {} : { shouldStop: () => deps.signal?.aborted === true }),
  });
