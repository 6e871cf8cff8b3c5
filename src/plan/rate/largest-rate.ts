import type { Evaluator } from "../search/evaluator.ts";
import { meetsAll } from "../search/judge-track.ts";
import { allRequests, type Rung } from "../search/rungs.ts";
import type { Track } from "../search/track.ts";
import { untilTold } from "../search/until-told.ts";
import type { PlanQuestion } from "../space/question.ts";
import { rateSettings } from "../space/traffic-scale.ts";
import { Bisection } from "./bisection.ts";

/** The most requests per second that a deployment takes. */
export interface LargestRate {
  readonly track: Track;
  readonly perSecond: number;
  /** Settings of the traffic at that rate. */
  readonly load: readonly string[];
}

/** The smallest ratio of a rate that fails over one that holds, and the first step by which rates are tried. */
const grid = { tolerance: 1.01, step: 1.2 };
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
 * The largest rates by bisection over all requests, the SLOs and keeping up with the load being the test. The deployment that a sample
 * puts the furthest from its limits is bisected first. Every other one is run at the rate that is to be beaten, and bisected from
 * there if it holds. Of replicas of one layout only the most are looked at. What a run over all requests cannot tell from overload
 * does not pass.
 */
export async function largestRates(
  question: PlanQuestion,
  tracks: readonly Track[],
  deps: RateDeps,
): Promise<LargestRate[]> {
  const { scenario, traffic } = question;
  const offered = traffic.ratePerSecond!;
  const last = allRequests(deps.rungs);
  const order = deps.exhaustive ? mostReplicas(tracks) : await ranked(mostReplicas(tracks), deps, last);
  const found: { readonly track: Track; readonly factor: number }[] = [];
  for (const track of order) {
    const beaten = deps.exhaustive
      ? undefined
      : found.map(({ factor }) => factor).sort((a, b) => b - a)[deps.alternatives];
    const factor = await bisected(question, track, beaten, deps);
    if (factor !== null) found.push({ track, factor });
    deps.onProgress?.();
  }
  return found
    .sort((a, b) => b.factor - a.factor || a.track.index - b.track.index)
    .map(({ track, factor }) => ({
      track,
      perSecond: factor * offered,
      // As long as the run that told.
      load: [...rateSettings(scenario, factor)!, ...requestsOf(track, deps.rungs[last]!)],
    }));
}

const requestsOf = ({ atRate }: Track, { requests }: Rung): string[] =>
  atRate !== null && atRate.requests > requests ? [`traffic.requests=${atRate.requests}`] : [];

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

/** Those first that a sample at the rate of the scenario shows the furthest from their limits. */
async function ranked(tracks: readonly Track[], { evaluator, rungs }: RateDeps, last: number): Promise<Track[]> {
  const sample = rungs[Math.max(0, last - 1)]!;
  const outcomes = await evaluator.outcomes(tracks.map(({ candidate }) => [...candidate.settings, ...sample.settings]));
  const strain = new Map(tracks.map((track, i) => [track, outcomes[i]!.strain ?? Number.POSITIVE_INFINITY]));
  return [...tracks].sort((a, b) => strain.get(a)! - strain.get(b)! || a.index - b.index);
}

/** The largest factor on the rate that holds; null where none does, or none above the one that is to be beaten. */
async function bisected(
  { scenario, traffic }: PlanQuestion,
  track: Track,
  beaten: number | undefined,
  { evaluator, rungs }: RateDeps,
): Promise<number | null> {
  const first = beaten === undefined ? 1 : beaten * grid.tolerance;
  const search = new Bisection({ first, ...grid, ...ends, smallest: beaten === undefined ? ends.smallest : first });
  for (let factor = search.next(); factor !== null; factor = search.next()) {
    const tried = [...track.candidate.settings, ...rateSettings(scenario, factor)!];
    // Near its limit a deployment takes more requests to tell whether it keeps up.
    const [told] = await untilTold(rungs, [tried], (asked) => evaluator.outcomes(asked));
    const { outcome, rung } = told!;
    const holds = meetsAll(outcome, traffic);
    if (holds || track.atRate?.holds !== true) track.atRate = { outcome, requests: rung.requests, holds };
    search.take(holds);
  }
  return search.passed;
}
