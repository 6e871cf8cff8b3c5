import type { RunRecord } from "../state/run-record.ts";

/** An answer is wanted within this time. */
const answerMs = 550;

/** Requests of a sample. `all`: as many as the scenario has. */
export interface Sample {
  readonly requests: number;
  readonly of: number;
  /** No shorter one can stand for all. */
  readonly least: number;
}

/**
 * The first requests of a run that can be simulated again in about half a second, by how long the run itself took, and no fewer than
 * can stand for all. null: nothing tells how many there are yet.
 */
export function sampleOf({ snapshot, forecast, wallMs, leastSample: least }: RunRecord): Sample | null {
  const of = forecast?.requests.total ?? snapshot?.requests.total;
  if (of === undefined || least === null) return null;
  const ended = snapshot === null ? of : snapshot.requests.completed + snapshot.requests.rejected;
  const wholeMs = ended > 0 ? (wallMs * of) / ended : wallMs;
  return { of, least, requests: within(of, wholeMs, least) };
}

/** The same after a sample took so long. */
export const shorter = (sample: Sample, tookMs: number): Sample =>
  tookMs <= 1.4 * answerMs
    ? sample
    : { ...sample, requests: Math.min(sample.requests, within(sample.requests, tookMs, sample.least)) };

function within(requests: number, ms: number, least: number): number {
  if (!(ms > answerMs)) return requests;
  return Math.min(requests, Math.max(least, Number(((requests * answerMs) / ms).toPrecision(2))));
}

/** The setting that makes a run this long; none for all requests. */
export const sampleSettings = ({ requests, of }: Sample): readonly string[] =>
  requests >= of ? [] : [`traffic.requests=${requests}`];
