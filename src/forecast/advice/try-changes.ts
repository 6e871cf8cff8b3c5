import { InfeasibleError, InvalidInputError } from "../../core/errors.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { FileReader } from "../../resolve/file-reader.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { RunResult } from "../../sim/result.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { buildForecast } from "../build-forecast.ts";
import type { Forecast, TriedAdvice } from "../forecast.ts";
import { adviceMetric } from "./advice-metric.ts";
import { adviceRules } from "./advice-rules.ts";
import { causesOf, chooseChanges } from "./choose-changes.ts";
import { judgeChange } from "./judge-change.ts";
import { trialRequests, trialStepsMax } from "./trial-length.ts";

/** A finished run, and where it came from. */
export interface FinishedRun {
  readonly scenario: Scenario;
  readonly resolved: ResolvedScenario;
  readonly run: RunResult;
  readonly forecast: Forecast;
}

export interface TrialDeps extends FileReader {
  readonly signal?: AbortSignal;
}

/**
 * What would help a deployment: changes that fit the causes of its bottleneck are each run over its first requests, with
 * the same random draws, and kept where they improve on a run of the same requests without them. The most helpful comes
 * first. null where the run is too long to try anything, or when aborted.
 */
export async function tryChanges(finished: FinishedRun, deps: TrialDeps): Promise<TriedAdvice | null> {
  const { scenario, resolved, run, forecast } = finished;
  const { config } = resolved;
  // The rules change sections of a deployment that is one pool, whose replicas have devices of their own.
  if (config.otherPools !== undefined || config.modelCache !== undefined) return null;
  const requests = trialRequests(config, forecast, run.steps);
  if (requests === null || requests === 0) return null;
  const short = { requests, stepsMax: trialStepsMax(run.steps, requests, forecast.requests.total) };
  // Which metric matters decides which causes do, and what a short run can tell decides the metric.
  const rough = adviceMetric(scenario, forecast, forecast);
  const changes = chooseChanges(
    causesOf(forecast, rough.betweenTokens),
    { config, forecast, policy: scenario.policy, policies: scenario.policies },
    Object.values(adviceRules),
  );
  if (changes.length === 0) return { metric: rough.name, requests: 0, tried: 0, helps: [] };
  const before = requests === forecast.requests.total ? forecast : await trial(finished, [], short, deps);
  if (before === null) return null;
  const metric = adviceMetric(scenario, forecast, before);
  const judged = [];
  let tried = 0;
  for (const change of changes) {
    const after = await trial(finished, change.set, short, deps);
    if (deps.signal?.aborted === true) return null;
    if (after === null) continue;
    tried++;
    const found = judgeChange(change, metric, before, after);
    if (found !== null) judged.push(found);
  }
  judged.sort((a, b) => b.gain - a.gain);
  return { metric: metric.name, requests: before.requests.total, tried, helps: judged.map(({ advice }) => advice) };
}

interface TrialLength {
  readonly requests: number;
  readonly stepsMax: number;
}

/**
 * The scenario over its first requests with settings laid over it; null where it does not fit or is not valid, takes too
 * many steps, or is the same deployment as without them.
 */
async function trial(
  { scenario, resolved, forecast }: FinishedRun,
  settings: readonly string[],
  { requests, stepsMax }: TrialLength,
  deps: TrialDeps,
): Promise<Forecast | null> {
  try {
    const length = requests === forecast.requests.total ? [] : [`traffic.requests=${requests}`];
    const varied = { ...scenario.vary([...length, ...settings]), slo: scenario.slo };
    const again = await resolveScenario(varied, deps, null, deps.signal, resolved.routed);
    // Measurements of the deployment have adjusted its engine.
    const tried = { ...again, config: { ...again.config, engine: resolved.config.engine } };
    if (settings.length > 0 && deploymentText(tried) === deploymentText(resolved)) return null;
    let steps = 0;
    const run = await simulateCooperatively(tried.config, {
      giveWay,
      onStep: () => {
        steps++;
      },
      shouldStop: () => deps.signal?.aborted === true || steps > stepsMax,
    });
    return run.interrupted ? null : buildForecast(varied, tried, run);
  } catch (error) {
    if (error instanceof InvalidInputError || error instanceof InfeasibleError) return null;
    // What is resolved when aborted ends with the reason; the finished run keeps its forecast.
    if (deps.signal?.aborted === true) return null;
    throw error;
  }
}

/** Everything of a deployment that a change can touch, as text. */
function deploymentText({ config, placement, offload }: ResolvedScenario): string {
  const { formats, weightBits, kvFormat, mapping, replicas, frontEnds, scheduler, router, speculation } = config;
  return JSON.stringify({
    formats,
    weightBits,
    kvFormat,
    mapping,
    replicas,
    frontEnds,
    scheduler,
    router: router.name,
    drafts: speculation?.draftTokens ?? 0,
    placement,
    offload,
    overlap: config.offload?.overlap ?? true,
    hostBytes: config.offload?.hostBytes ?? 0,
    diskPath: config.offload?.diskPath ?? "host",
    hostCache: config.offload?.hostCache ?? "inclusive",
    pageCache: config.offload?.pageCache ?? 0,
    tiering: config.offload?.tiering ?? "static",
    numa: config.offload?.numa ?? "local",
  });
}
