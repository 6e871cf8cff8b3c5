import { areBusier, fewestOfAll } from "../../resolve/request-samples.ts";
import type { PlanQuestion } from "../space/question.ts";

/** A sample of the requests of a plan: its first ones, so that every run shares its draws with the longer ones. */
export interface Rung {
  readonly requests: number;
  readonly settings: readonly string[];
  /** Whether a run on it decides: on all requests, or on more where these do not tell whether a deployment keeps up. */
  readonly decides: boolean;
}

/** Each sample is the fraction of the next one. */
const factor = 4;
/** Runs that are too short to tell are made so many times as long. */
const longer = [2, 4];

/**
 * Growing samples of the requests up to all of them, then longer runs for those that this does not tell. Traffic whose requests follow
 * from its groups has one sample, as has a closed loop with too few requests for its clients. First requests that are busier than all
 * of them, such as the peak that a trace begins with, are no sample: they would exclude what keeps up with the whole.
 */
export function rungsOf({ scenario, traffic }: PlanQuestion): Rung[] {
  const all = traffic.requests.count;
  const least = fewestOfAll(scenario.traffic, traffic.concurrency);
  const rungs: Rung[] = [{ requests: all, settings: [], decides: true }];
  if (scenario.traffic.kind === "sharedPrefix") return rungs;
  const sample = (requests: number): readonly string[] => [`traffic.requests=${requests}`];
  for (let n = Math.ceil(all / factor); n >= least; n = Math.ceil(n / factor))
    if (!areBusier(traffic.requests, n)) rungs.unshift({ requests: n, settings: sample(n), decides: false });
  // A trace that is read to its end has no more.
  if (scenario.traffic.requests !== undefined)
    for (const times of longer) rungs.push({ requests: all * times, settings: sample(all * times), decides: true });
  return rungs;
}

/** Place of the run over all requests. */
export const allRequests = (rungs: readonly Rung[]): number => rungs.findIndex(({ decides }) => decides);
