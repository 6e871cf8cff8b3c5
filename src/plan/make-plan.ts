import { InfeasibleError, InvalidInputError, type Problem } from "../core/errors.ts";
import { canonicalJson } from "../core/json.ts";
import { version } from "../core/version.ts";
import type { Surroundings } from "../resolve/file-reader.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import { baselineJob, runBaseline } from "./answer/baseline.ts";
import { type Finalist, finalistOf } from "./answer/finalists.ts";
import { answerOf, frontierAnswer, rateAnswer } from "./answer/objective-answer.ts";
import type {
  FoundCandidate,
  ObjectiveAnswer,
  PlanBaseline,
  PlanCandidate,
  PlanDocument,
} from "./answer/plan-document.ts";
import { type Sensitivity, sensitivities } from "./answer/sensitivity.ts";
import type { Executor } from "./execute/executor.ts";
import { type FrontierPoint, frontierOf } from "./frontier/frontier.ts";
import type { JobBase } from "./job/job.ts";
import { keyParts } from "./job/job-keys.ts";
import { outcomeFigures } from "./job/outcome-figures.ts";
import type { Journal } from "./journal/journal.ts";
import { objectives } from "./objectives/objectives.ts";
import { largestRates } from "./rate/largest-rate.ts";
import { Evaluator } from "./search/evaluator.ts";
import { meetsAll, shortfallOf } from "./search/judge-track.ts";
import { prune } from "./search/prune.ts";
import { allRequests, type Rung, rungsOf } from "./search/rungs.ts";
import { searchFor } from "./search/search.ts";
import { candidateStates, newTrack, type Track } from "./search/track.ts";
import { candidatesOn, devicesWithin } from "./space/candidates.ts";
import { checkQuestion } from "./space/check-question.ts";
import type { PlanQuestion } from "./space/question.ts";
import { sitesOf } from "./space/sites.ts";

export interface PlanDeps extends Surroundings {
  readonly executor: Executor;
  /** Where outcomes are kept; null: nowhere. */
  readonly journal: Journal | null;
  readonly signal?: AbortSignal;
  /** Runs every candidate that bounds let pass over all requests. */
  readonly exhaustive: boolean;
  /** Whether the search is all that is wanted: no chances, no comparison, no changes of the question. Default false. */
  readonly searchOnly?: boolean;
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
  checkQuestion(question);
  const { sites, leftOut } = await sitesOf(question, deps);
  const candidates = sites.flatMap((site) => candidatesOn(question, site));
  // What is stated twice is one candidate.
  const tracks = [...new Map(candidates.map((one) => [one.id, one])).values()].map(newTrack);
  if (tracks.length === 0)
    throw new InfeasibleError(
      [
        "the space of the plan is empty: no deployment within the budget has the degrees that are stated",
        ...leftOut.map(({ name, reason }) => `${name}: ${reason}`),
      ].join("\n"),
    );
  const today = await baselineJob(base, deps.baseline);
  const keys = await keyParts(
    base,
    tracks.map(({ candidate }) => candidate.settings),
  );
  const evaluator = new Evaluator({ base, keys, executor, journal, signal });
  const all = rungsOf(question);
  const rungs = deps.exhaustive ? all.slice(allRequests(all)) : all;
  const answers: ObjectiveAnswer[] = [];
  let baseline: PlanBaseline | null = null;
  let sensitivity: Sensitivity[] | null = null;
  let frontier: FrontierPoint[] | null = null;
  const finalists: Finalist[] = [];
  const onProgress = () => deps.onProgress?.(tracks.filter(({ state }) => state !== "untested").length, tracks.length);
  const { alternatives } = plan;
  const { exhaustive } = deps;
  try {
    await prune(question, tracks, deps, signal);
    if (tracks.every(({ cause }) => cause === "invalid")) throw new InvalidInputError(allInvalid(tracks));
    for (const name of plan.objectives) {
      if (name === "frontier") {
        frontier = await frontierOf(tracks, evaluator, onProgress);
        answers.push(frontierAnswer(frontier));
      } else if (name === "rate") {
        const rates = await largestRates(question, tracks, { evaluator, rungs, alternatives, exhaustive, onProgress });
        answers.push(rateAnswer(rates, tracks));
      } else {
        const objective = objectives[name];
        const search = { evaluator, rungs, traffic, exhaustive, onProgress };
        await searchFor(objective, tracks, { ...search, alternatives });
        // Who asks for several kinds of hardware wants to know what each comes to.
        if (sites.length > 1 && !exhaustive)
          for (const site of sites) {
            const own = tracks.filter(({ candidate }) => candidate.site === site);
            await searchFor(objective, own, { ...search, alternatives: 0 });
          }
        answers.push(answerOf(objective, tracks, traffic));
      }
    }
    if (deps.searchOnly !== true) baseline = await baselineOf(question, today, rungs, deps);
    const byId = new Map(tracks.map((track) => [track.candidate.id, track]));
    for (const { id, load } of deps.searchOnly === true ? [] : finalistsOf(answers)) {
      const settings = [...byId.get(id)!.candidate.settings, ...loadOf(byId.get(id)!, load, question)];
      finalists.push(await finalistOf(id, base, settings, readerOf(deps), signal));
    }
    const [first] = answers[0]?.found ?? [];
    if (deps.searchOnly !== true && first !== undefined && plan.objectives[0] !== "frontier") {
      const { candidate } = byId.get(first.id)!;
      sensitivity = await sensitivities(candidate, loadOf(byId.get(first.id)!, first.load, question), question, {
        evaluator,
        rungs,
      });
    }
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error;
    for (const name of plan.objectives.slice(answers.length))
      if (name !== "rate" && name !== "frontier") answers.push(answerOf(objectives[name], tracks, traffic));
  }
  const { scenario } = question;
  const listed = tracks.map(candidateOf);
  return {
    kind: "plan",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: {
      name: scenario.name,
      description: scenario.description,
      file: scenario.file,
      settings: base.settings,
      params: base.params,
    },
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
      candidateStates.map((state) => [state, listed.filter(({ status }) => status === state).length]),
    ) as unknown as PlanDocument["counts"],
    effort: { ...evaluator.effort, samples: rungs.map(({ requests }) => requests) },
    objectives: answers,
    finalists,
    frontier,
    sensitivity,
    baseline,
    interrupted: signal?.aborted === true,
    candidates: listed,
  };
}

/** What is wrong with a space of which nothing is a scenario, such as an axis that leads to no key. */
const allInvalid = ([first]: readonly Track[]): Problem[] => [
  {
    at: "plan",
    expected: "a space with a valid candidate",
    found: first!.candidate.name,
    below: (first!.reason ?? "").split("\n"),
  },
];

/** Files alone, without those who watch. */
const readerOf = ({ readText, whatIs, list, solve, tables }: PlanDeps): Surroundings => ({
  readText,
  ...(whatIs === undefined ? {} : { whatIs }),
  ...(list === undefined ? {} : { list }),
  ...(solve === undefined ? {} : { solve }),
  ...(tables === undefined ? {} : { tables }),
});

/** The best of each objective, and the next best of the first one. Points of a frontier are not judged by SLOs. */
function finalistsOf(answers: readonly ObjectiveAnswer[]): FoundCandidate[] {
  const found = answers.flatMap(({ name, found: of }, i) => (name === "frontier" ? [] : of.slice(0, i === 0 ? 2 : 1)));
  return [...new Map(found.map((one) => [canonicalJson([one.id, one.load]), one])).values()];
}

/** Settings of the traffic of a found deployment; a run that had to be longer than the scenario's is as long again. */
const loadOf = ({ requests }: Track, load: readonly string[], { traffic }: PlanQuestion): string[] => [
  ...load,
  ...(requests > traffic.requests.count && load.length === 0 ? [`traffic.requests=${requests}`] : []),
];

async function baselineOf(
  { plan, traffic }: PlanQuestion,
  today: JobBase,
  rungs: readonly Rung[],
  { baseline: other, executor, signal }: PlanDeps,
): Promise<PlanBaseline | null> {
  const { file, devices, usdPerHour, outcome } = await runBaseline(today, rungs, executor, signal);
  // The scenario of the question need not stand for anything that runs; what someone names does.
  if (devices === null && other === null) return null;
  const meets = meetsAll(outcome, traffic);
  return {
    file,
    devices,
    usdPerHour,
    meets,
    broken: meets ? null : shortfallOf(outcome, traffic),
    values: Object.fromEntries(
      plan.objectives.map((name) => [
        name,
        name === "rate" || name === "frontier" || devices === null
          ? null
          : objectives[name].of({ devices, usdPerHour }, outcome, traffic),
      ]),
    ),
  };
}

function candidateOf(track: Track): PlanCandidate {
  const { candidate, atRate } = track;
  const { id, name, settings, devices, usdPerHour, powerW } = candidate;
  // A candidate that no other objective looked at is as its run at the largest rate shows it.
  const rated = track.state === "untested" ? atRate : null;
  const { outcome, requests } = rated ?? track;
  const { cause, reason } =
    rated === null || rated.holds ? track : { cause: "rate", reason: "no rate holds that would be among the best" };
  return {
    id,
    name,
    site: candidate.site.name.join(" "),
    settings,
    devices,
    usdPerHour,
    powerW,
    status: rated === null ? track.state : rated.holds ? "feasible" : "infeasible",
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
