import type { Outcome } from "../job/job.ts";
import type { Evaluator } from "../search/evaluator.ts";
import { meetsAll, rejectedText } from "../search/judge-track.ts";
import type { Rung } from "../search/rungs.ts";
import type { Track } from "../search/track.ts";
import type { PlanQuestion, PlanTraffic } from "../space/question.ts";
import { rateSettings } from "../space/traffic-scale.ts";
import { Bisection } from "./bisection.ts";

/** The most requests per second that a deployment takes. */
export interface LargestRate {
  readonly track: Track;
  readonly perSecond: number;
  /** Settings of the traffic at that rate. */
  readonly load: readonly string[];
}

/**
 * On a sample, and over all requests: the smallest ratio of a rate that fails over one that holds, and the steps in which rates are
 * tried until there are both. What a sample showed is not far from what all requests show.
 */
const coarse = { tolerance: 1.1, step: 2 };
const fine = { tolerance: 1.01, step: 1.06 };
/** How much more a run over all requests may take than a sample showed. */
const sampleSlack = 1.1;
/** Rates from a thousandth to a thousand times that of the scenario. */
const ends = { smallest: 1 / 1024, largest: 1024 };

export interface RateDeps {
  readonly evaluator: Evaluator;
  readonly rungs: readonly Rung[];
  /** Deployments to know to the end beside the best one. */
  readonly alternatives: number;
  readonly exhaustive: boolean;
  readonly onProgress?: (() => void) | undefined;
}

/**
 * The largest rate of every deployment by bisection, the SLOs and keeping up with the load being the test: coarsely on a sample for all,
 * then over all requests for those that may be the best. Of replicas of one layout only the most are looked at. What rates a run over all requests cannot tell from overload do not pass.
 */
export async function largestRates(
  question: PlanQuestion,
  tracks: readonly Track[],
  deps: RateDeps,
): Promise<LargestRate[]> {
  const { scenario, traffic } = question;
  const offered = traffic.ratePerSecond!;
  const most = mostReplicas(tracks);
  const sample = deps.rungs[Math.max(0, deps.rungs.length - 2)]!;
  const all = deps.rungs.at(-1)!;
  const isNarrowed = sample !== all && !deps.exhaustive;
  let open = most.map((track) => ({ track, first: 1, atMost: Number.POSITIVE_INFINITY }));
  if (isNarrowed) {
    const found = await bisected(question, open, sample, coarse, passesSample, deps);
    open = found.flatMap(({ track, passed, failed }) =>
      passed === null ? [] : [{ track, first: passed, atMost: (failed ?? passed) * sampleSlack }],
    );
  }
  const grid = isNarrowed ? fine : { ...fine, step: coarse.step };
  open.sort((a, b) => b.atMost - a.atMost || a.track.index - b.track.index);
  const results: LargestRate[] = [];
  const step = 2;
  for (let from = 0; from < open.length; from += step) {
    const wanted = [...results].sort((a, b) => b.perSecond - a.perSecond)[deps.alternatives];
    const left = open.slice(from, from + step);
    if (!deps.exhaustive && wanted !== undefined && left.every(({ atMost }) => atMost * offered <= wanted.perSecond))
      break;
    for (const { track, passed, outcome } of await bisected(question, left, all, grid, meetsAll, deps)) {
      track.atRate = { outcome, requests: all.requests, holds: passed !== null };
      if (passed !== null) results.push({ track, perSecond: passed * offered, load: rateSettings(scenario, passed)! });
    }
    deps.onProgress?.();
  }
  return results.sort((a, b) => b.perSecond - a.perSecond || a.track.index - b.track.index);
}

function mostReplicas(tracks: readonly Track[]): Track[] {
  const most = new Map<string, Track>();
  for (const track of tracks) {
    if (track.state === "pruned" || track.state === "failed") continue;
    const other = most.get(track.candidate.layout);
    if (other === undefined || other.candidate.devices < track.candidate.devices)
      most.set(track.candidate.layout, track);
  }
  return [...most.values()];
}

/** A sample shows less load than all requests: it fails for what it shows beyond chance alone. */
function passesSample(outcome: Outcome, traffic: PlanTraffic): boolean {
  const { status, verdict, strainAtBest } = outcome;
  return (
    status === "done" && verdict !== "overloaded" && (strainAtBest ?? 0) <= 1 && rejectedText(outcome, traffic) === null
  );
}

interface Bisected {
  readonly track: Track;
  readonly passed: number | null;
  readonly failed: number | null;
  /** At the rate that passed, else at the last that was tried. */
  readonly outcome: Outcome | null;
}

/** Bisects all at once: a rate of each is run at a time. */
async function bisected(
  { scenario, traffic }: PlanQuestion,
  open: readonly { readonly track: Track; readonly first: number }[],
  rung: Rung,
  grid: typeof coarse,
  passes: (outcome: Outcome, traffic: PlanTraffic) => boolean,
  { evaluator, onProgress }: RateDeps,
): Promise<Bisected[]> {
  const searches = open.map(({ track, first }) => ({
    track,
    search: new Bisection({ first, ...grid, ...ends }),
    outcome: null as Outcome | null,
    last: null as Outcome | null,
  }));
  for (;;) {
    const going = searches.flatMap((one) => {
      const factor = one.search.next();
      return factor === null ? [] : [{ one, factor }];
    });
    if (going.length === 0) break;
    const outcomes = await evaluator.outcomes(
      going.map(({ one, factor }) => [
        ...one.track.candidate.settings,
        ...rung.settings,
        ...rateSettings(scenario, factor)!,
      ]),
    );
    for (const [i, { one }] of going.entries()) {
      const outcome = outcomes[i]!;
      const passed = passes(outcome, traffic);
      one.last = outcome;
      if (passed) one.outcome = outcome;
      one.search.take(passed);
    }
    onProgress?.();
  }
  return searches.map(({ track, search: { passed, failed }, outcome, last }) => ({
    track,
    passed,
    failed,
    outcome: outcome ?? last,
  }));
}
