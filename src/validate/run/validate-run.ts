import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { MeasuredRun } from "../../calibrate/measured/measured-run.ts";
import type { Measurement } from "../../calibrate/measured/read-measurement.ts";
import { observeDeployment } from "../../calibrate/observed/observe-deployment.ts";
import { holds, refuse } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import { unlessAborted } from "../../files/cooperative.ts";
import { inOneStretch } from "../../files/signals.ts";
import { buildForecast } from "../../forecast/build-forecast.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { ForecastDeps } from "../../forecast/forecast-scenario.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { Workload } from "../../sim/config.ts";
import { type RunResult, timeComponents } from "../../sim/result.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { compareReplay, compareStatistics } from "./compare-run.ts";
import { type RunValidation, runValidationSchemaVersion } from "./run-validation.ts";

/** A measurement of one run: request by request, or a benchmark's results. */
export type MeasuredServing = Extract<Measurement, { readonly kind: "run" | "benchmark" }>;

/** What a measurement has of a run request by request, and how its arrivals came about. */
interface Replay {
  readonly run: MeasuredRun;
  /** Clients of a closed loop; null where requests came by the clock. */
  readonly clients: number | null;
}

/**
 * Forecasts a measured run on the deployment of a scenario and compares the two. Measured requests take the place of the
 * scenario's traffic: their arrivals and lengths are replayed, none is left out as warm-up; where a benchmark only
 * states statistics, the scenario's own traffic is forecast. SLOs of the scenario are not judged. With other measurements
 * of the deployment as `observed`, the engine is adjusted to them before.
 */
export async function validateRun(
  scenario: Scenario,
  measured: MeasuredServing,
  deps: ForecastDeps & { readonly inputs: Forecast["inputs"] },
): Promise<RunValidation> {
  const { observed } = deps;
  const replay = replayOf(measured);
  const { slo: _notJudged, ...unjudged } = scenario;
  const served: Scenario = replay === null ? unjudged : { ...unjudged, warmup: { requests: 0 } };
  const stated = await unlessAborted(
    resolveScenario(served, deps, replay === null ? null : workloadOf(replay), deps.signal),
    deps.signal,
  );
  const resolved = observed === undefined ? stated : inOneStretch(() => observeDeployment(stated, observed));
  const run = await simulated(resolved.config, deps);
  const forecast = buildForecast(served, resolved, run);
  return {
    schemaVersion: runValidationSchemaVersion,
    kind: "run-validation",
    moecastVersion: version,
    // The measurement stands for the requests that were made of it.
    inputs: [...deps.inputs, ...forecast.inputs.filter(({ role }) => replay === null || role !== "requests")],
    workload: replay === null ? "scenario" : "replayed",
    ...comparison(measured, replay, run, forecast),
    stepMs: stepTimes(run),
    forecast,
  };
}

function replayOf(measured: MeasuredServing): Replay | null {
  if (measured.kind === "run") return { run: measured.run, clients: null };
  const { perRequest, concurrency, requestRate } = measured.benchmark;
  return perRequest === null ? null : { run: perRequest, clients: requestRate === null ? concurrency : null };
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
