import { InfeasibleError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import type { Surroundings } from "../resolve/file-reader.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import { runBaseline } from "./answer/baseline.ts";
import { type Finalist, finalistOf } from "./answer/finalists.ts";
import { answerOf } from "./answer/objective-answer.ts";
import type { ObjectiveAnswer, PlanBaseline, PlanCandidate, PlanDocument } from "./answer/plan-document.ts";
import { type Sensitivity, sensitivities } from "./answer/sensitivity.ts";
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
import { search } from "./search/search.ts";
import { candidateStates, newTrack, type Track } from "./search/track.ts";
import { candidatesOn, devicesWithin } from "./space/candidates.ts";
import type { PlanQuestion } from "./space/question.ts";
import { sitesOf } from "./space/sites.ts";

export interface PlanDeps extends Surroundings {
  readonly executor: Executor;
  /** Where outcomes are kept; null: nowhere. */
  readonly journal: Journal | null;
  readonly signal?: AbortSignal;
  /** Runs every candidate that bounds let pass over all requests. */
  readonly exhaustive: boolean;
  /** A scenario to compare with, under the load of the question; null: the one of the question as it stands. */
  readonly baseline: Pick<JobBase, "file" | "text"> | null;
  readonly onProgress?: (settled: number, total: number) => void;
}

/**
 * Answers the question of a scenario: prunes its space by bounds, searches what is left for every objective, and says what became of
 * each candidate. Interrupted, it says what was found until then. Throws InfeasibleError for a space without a candidate.
 */
export async function makePlan(question: PlanQuestion, base: JobBase, deps: PlanDeps): Promise<PlanDocument> {
  const { plan, traffic } = question;
  const { executor, journal, signal } = deps;
  const { sites, leftOut } = await sitesOf(question, deps);
  const tracks = sites.flatMap((site) => candidatesOn(question, site)).map(newTrack);
  if (tracks.length === 0)
    throw new InfeasibleError(
      [
        "the space of the plan is empty: no deployment within the budget has the degrees that are stated",
        ...leftOut.map(({ name, reason }) => `${name}: ${reason}`),
      ].join("\n"),
    );
  const keys = await keyParts(base, new Set(tracks.flatMap(({ candidate }) => candidate.settings)));
  const evaluator = new Evaluator({ base, keys, executor, journal, signal });
  const wanted = plan.objectives.flatMap((name): Objective[] =>
    name in table ? [table[name as keyof typeof table]] : [],
  );
  const all = rungsOf(question);
  const rungs = deps.exhaustive ? all.slice(-1) : all;
  let answers: ObjectiveAnswer[] = [];
  let baseline: PlanBaseline | null = null;
  let sensitivity: Sensitivity[] | null = null;
  const finalists: Finalist[] = [];
  const answered = () => wanted.map((objective) => answerOf(objective, tracks, traffic));
  try {
    await prune(question, tracks, deps, signal);
    for (const objective of wanted)
      await search(objective, tracks, {
        evaluator,
        rungs,
        traffic,
        alternatives: plan.alternatives,
        exhaustive: deps.exhaustive,
        onProgress: () => deps.onProgress?.(tracks.filter(({ state }) => state !== "untested").length, tracks.length),
      });
    answers = answered();
    baseline = await baselineOf(question, base, wanted, deps);
    const byId = new Map(tracks.map((track) => [track.candidate.id, track]));
    for (const id of finalistIds(answers)) {
      const track = byId.get(id)!;
      const settings = [...track.candidate.settings, ...lengthOf(track, question)];
      finalists.push(await finalistOf(id, base, settings, deps, signal));
    }
    const [first] = answers[0]?.found ?? [];
    if (first !== undefined) {
      const track = byId.get(first.id)!;
      sensitivity = await sensitivities(track.candidate, lengthOf(track, question), question, evaluator);
    }
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error;
  }
  const { scenario } = question;
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
    objectives: answers.length > 0 ? answers : answered(),
    finalists,
    sensitivity,
    baseline,
    interrupted: signal?.aborted === true,
    candidates: tracks.map(candidateOf),
  };
}

/** The best of each objective, and the next best of the first one. */
const finalistIds = (answers: readonly ObjectiveAnswer[]): string[] => [
  ...new Set(answers.flatMap(({ found }, i) => found.slice(0, i === 0 ? 2 : 1).map(({ id }) => id))),
];

/** The setting of a run that had to be longer than the scenario's. */
const lengthOf = ({ requests }: Track, { traffic }: PlanQuestion): string[] =>
  requests > traffic.requests.count ? [`traffic.requests=${requests}`] : [];

async function baselineOf(
  { traffic }: PlanQuestion,
  base: JobBase,
  wanted: readonly Objective[],
  { baseline: other, executor, signal }: PlanDeps,
): Promise<PlanBaseline | null> {
  const { file, devices, usdPerHour, outcome } = await runBaseline(base, other, executor, signal);
  if (devices === null) return null;
  const meets = outcome.passed === true && outcome.verdict === "stable";
  return {
    file,
    devices,
    usdPerHour,
    meets,
    broken: meets ? null : outcome.verdict === "overloaded" ? "overloaded" : brokenText(outcome),
    values: Object.fromEntries(wanted.map(({ name, of }) => [name, of({ devices, usdPerHour }, outcome, traffic)])),
  };
}

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
