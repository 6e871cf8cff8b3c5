import { refuse } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { RequestFollower } from "../../sim/outcome/request-follower.ts";
import { countedRequests, requestValue } from "../../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../../sim/result.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import type { FinishedRun } from "../advice/try-changes.ts";
import { runScenario } from "../forecast-scenario.ts";
import { pathMetricOf } from "./explain-metric.ts";
import { type ExplainedRequest, type Explanation, explanationSchemaVersion } from "./explanation.ts";
import type { PathMetric } from "./path-metrics.ts";
import { requestAt } from "./request-at.ts";
import { requestPath } from "./request-path.ts";
import type { TrialDeps } from "./trials.ts";
import { whatHelps } from "./what-helps.ts";

/** What is to be explained. */
export interface ExplainOptions {
  /** The latency; absent: that of the SLO that failed or has the smallest margin. */
  readonly metric?: PathMetric;
  /** The percentile that is set beside the median, in (0, 1]; 0.99 if absent. */
  readonly p?: number;
  /** Requests by number, in order of arrival from 0, in place of those at percentiles. */
  readonly requests?: readonly number[];
  /** Whether what would help is found out, by further runs. */
  readonly ideals: boolean;
  /** Requests of each of these runs; absent: as many as there is time for. */
  readonly trialRequests?: number;
}

export interface ExplainDeps extends TrialDeps {
  /** Requests finished, of all; in which run of several, by what it tries. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly onTrial?: (label: string) => void;
}

/** Runs a scenario and explains it; see {@link explanationOf}. */
export async function explainScenario(
  scenario: Scenario,
  options: ExplainOptions,
  deps: ExplainDeps,
): Promise<{ readonly finished: FinishedRun; readonly explanation: Explanation }> {
  const { onTrial: _, ...run } = deps;
  const finished = await runScenario(scenario, run);
  deps.signal?.throwIfAborted();
  return { finished, explanation: await explanationOf(finished, options, deps) };
}

/**
 * Where the time of requests of a finished run went, by one more run that follows them, and what would help. Throws
 * InvalidInputError for requests that were not completed. An aborted signal ends it with its reason.
 */
export async function explanationOf(
  finished: FinishedRun,
  options: ExplainOptions,
  deps: ExplainDeps,
): Promise<Explanation> {
  const { scenario, run, forecast } = finished;
  const metric = options.metric ?? pathMetricOf(scenario, forecast);
  const chosen = chosenRequests(run.requests, metric, options);
  const requests = await followed(finished, metric, chosen, deps);
  const { p = 0.99 } = options;
  const asked = options.metric === undefined ? null : { metric, p };
  const helps = options.ideals
    ? await whatHelps(
        finished,
        {
          asked,
          requests: options.trialRequests ?? null,
          ...(deps.onTrial === undefined ? {} : { onTrial: deps.onTrial }),
        },
        deps,
      )
    : "not asked for";
  return {
    schemaVersion: explanationSchemaVersion,
    kind: "explanation",
    moecastVersion: version,
    scenario: forecast.scenario,
    seed: forecast.seed,
    inputs: forecast.inputs,
    metric,
    counted: countedRequests(run.requests, null).length,
    requests,
    timeShare: forecast.timeShare,
    load: forecast.load.verdict,
    reproduction: null,
    helps: typeof helps === "string" ? null : helps,
    noHelps: typeof helps === "string" ? helps : null,
  };
}

interface Chosen {
  readonly request: number;
  readonly at: number | null;
}

function chosenRequests(rows: RequestRows, metric: PathMetric, { p = 0.99, requests }: ExplainOptions): Chosen[] {
  if (requests === undefined)
    return [...new Set([0.5, p])].flatMap((at) => {
      const request = requestAt(rows, metric, at);
      return request === null ? [] : [{ request, at }];
    });
  return requests.map((request) => {
    if (request >= rows.count)
      refuse({ at: `request ${request}`, expected: `a request from 0 to ${rows.count - 1}`, found: request });
    if (rows.status[request] !== requestStatus.completed)
      refuse({ at: `request ${request}`, expected: "a request that is completed by the end of the run" });
    if (metric === "tpot" && rows.outputTokens[request] === 1)
      refuse({ at: `request ${request}`, expected: "a request of several output tokens: a single one has no TPOT" });
    return { request, at: null };
  });
}

/** One more run, in which requests are followed: runs are deterministic, so they fare as they did. */
async function followed(
  { resolved, run }: FinishedRun,
  metric: PathMetric,
  chosen: readonly Chosen[],
  { signal, giveWay: pause = giveWay, onProgress }: ExplainDeps,
): Promise<ExplainedRequest[]> {
  if (chosen.length === 0) return [];
  const follower = new RequestFollower(chosen.map(({ request }) => request));
  let over = false;
  await simulateCooperatively(resolved.config, {
    steps: follower,
    giveWay: pause,
    ...(onProgress === undefined ? {} : { onProgress }),
    onBatch: ({ state }) => {
      over = chosen.every(({ request }) => state.status[request] === requestStatus.completed);
    },
    shouldStop: () => over || signal?.aborted === true,
  });
  signal?.throwIfAborted();
  const { requests: rows } = run;
  return chosen.map(({ request, at }) => ({
    ...requestPath(follower.recorders.find((recorder) => recorder.request === request)!, rows, metric),
    at,
    valueNs: requestValue(rows, metric, request),
    arrivalNs: rows.arrivalNs[request]!,
    promptTokens: rows.promptTokens[request]!,
    cachedTokens: rows.cachedTokens[request]!,
    outputTokens: rows.outputTokens[request]!,
  }));
}
