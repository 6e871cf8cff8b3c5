import { InfeasibleError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import type { Surroundings } from "../resolve/file-reader.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import type { ObjectiveAnswer, PlanCandidate, PlanDocument } from "./answer/plan-document.ts";
import type { Executor } from "./execute/executor.ts";
import type { JobBase } from "./job/job.ts";
import { keyParts } from "./job/job-keys.ts";
import { outcomeFigures } from "./job/outcome-figures.ts";
import type { Journal } from "./journal/journal.ts";
import type { Objective } from "./objectives/objective.ts";
import { objectives as table } from "./objectives/objectives.ts";
import { Evaluator } from "./search/evaluator.ts";
import { brokenText } from "./search/judge-track.ts";
import { prune } from "./search/prune.ts";
import { rungsOf } from "./search/rungs.ts";
import { bestByLayout, search } from "./search/search.ts";
import { candidateStates, newTrack, type Track } from "./search/track.ts";
import { candidatesOn, devicesWithin } from "./space/candidates.ts";
import type { PlanQuestion } from "./space/question.ts";
import { sitesOf } from "./space/sites.ts";

export interface PlanDeps extends Surroundings {
  readonly executor: Executor;
  readonly journal: Journal | null;
  readonly signal?: AbortSignal;
  readonly exhaustive: boolean;
  readonly onProgress?: (settled: number, total: number) => void;
}

/**
 * Answers the question of a scenario: prunes its space by bounds, searches what is left for every objective, and says what became of
 * each candidate. Throws InfeasibleError for a space without a candidate.
 */
export async function makePlan(question: PlanQuestion, base: JobBase, deps: PlanDeps): Promise<PlanDocument> {
  const { scenario, plan, traffic } = question;
  const { sites, leftOut } = await sitesOf(question, deps);
  const tracks = sites.flatMap((site) => candidatesOn(question, site)).map(newTrack);
  if (tracks.length === 0)
    throw new InfeasibleError(
      [
        "the space of the plan is empty: no deployment within the budget has the degrees that it states",
        ...leftOut.map(({ name, reason }) => `${name}: ${reason}`),
      ].join("\n"),
    );
  await prune(question, tracks, deps, deps.signal);
  const all = rungsOf(question);
  const rungs = deps.exhaustive ? all.slice(-1) : all;
  const keys = await keyParts(base, new Set(tracks.flatMap(({ candidate }) => candidate.settings)));
  const evaluator = new Evaluator({ base, keys, executor: deps.executor, journal: deps.journal, signal: deps.signal });
  const wanted = plan.objectives.flatMap((name): Objective[] =>
    name in table ? [table[name as keyof typeof table]] : [],
  );
  for (const objective of wanted)
    await search(objective, tracks, {
      evaluator,
      rungs,
      traffic,
      alternatives: plan.alternatives,
      exhaustive: deps.exhaustive,
      onProgress: () => deps.onProgress?.(tracks.filter(({ state }) => state !== "untested").length, tracks.length),
    });
  return {
    kind: "plan",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    seed: scenario.seed,
    space: {
      candidates: tracks.length,
      layouts: new Set(tracks.map(({ candidate }) => candidate.layout)).size,
      devicesMax: Math.max(...sites.map((site) => devicesWithin(question, site))),
      devicesAssumed: plan.budget.devices === undefined,
      exhaustive: deps.exhaustive,
      leftOut,
    },
    traffic: {
      requests: traffic.requests.count,
      ratePerSecond: traffic.ratePerSecond,
      concurrency: traffic.concurrency,
      promptTokens: traffic.promptTokens,
      outputTokens: traffic.outputTokens,
    },
    slos: (scenario.slo?.thresholds ?? []).map(({ target, text }) => `${printTarget(target)} ${text}`),
    counts: Object.fromEntries(
      candidateStates.map((state) => [state, tracks.filter((track) => track.state === state).length]),
    ) as unknown as PlanDocument["counts"],
    effort: { runs: evaluator.runs, samples: rungs.map(({ requests }) => requests) },
    objectives: wanted.map((objective) => answerOf(objective, tracks, question)),
    candidates: tracks.map(candidateOf),
  };
}

function answerOf(objective: Objective, tracks: readonly Track[], { traffic }: PlanQuestion): ObjectiveAnswer {
  const found = bestByLayout(objective, tracks, traffic);
  return {
    name: objective.name,
    title: objective.title,
    found: found.map(({ track, value }) => ({ id: track.candidate.id, value, text: objective.text(value) })),
    closest: found.length > 0 ? null : closestOf(tracks),
  };
}

/** The run that comes the nearest to its limits: over all requests before samples, which make light of them. */
function closestOf(tracks: readonly Track[]): ObjectiveAnswer["closest"] {
  const [nearest] = tracks
    .filter(({ outcome }) => outcome !== null && outcome.status === "done" && outcome.strain !== null)
    .sort((a, b) => b.requests - a.requests || rank(a) - rank(b) || a.outcome!.strain! - b.outcome!.strain!);
  return nearest === undefined
    ? null
    : { id: nearest.candidate.id, shortfall: nearest.reason ?? brokenText(nearest.outcome!) };
}

const rank = ({ outcome }: Track): number => (outcome!.verdict === "overloaded" ? 1 : 0);

function candidateOf({ candidate, state, cause, reason, requests, outcome }: Track): PlanCandidate {
  const { id, name, settings, devices, usdPerHour, powerW } = candidate;
  return {
    id,
    name,
    settings,
    devices,
    usdPerHour,
    powerW,
    status: state,
    cause,
    reason,
    requests,
    figures:
      outcome === null || outcome.status !== "done"
        ? null
        : Object.fromEntries(outcomeFigures.map(({ name: figure }, at) => [figure, outcome.figures[at] ?? null])),
    binding: outcome?.binding ?? null,
    strain: outcome?.strain ?? null,
  };
}
