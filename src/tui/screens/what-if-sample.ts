import type { RunRecord } from "../state/run-record.ts";

/** An answer is wanted within this time. */
const answerMs = 550;
/** Fewer requests say little. */
const fewest = 100;

/** Requests of a sample. `all`: as many as the scenario has. */
export interface Sample {
  readonly requests: number;
  readonly of: number;
}

/**
 * The first requests of a run that can be simulated again in about half a second, by how long the run itself took. null: nothing tells how
 * many there are yet.
 */
export function sampleOf({ snapshot, forecast, wallMs }: RunRecord): Sample | null {
  const of = forecast?.requests.total ?? snapshot?.requests.total;
  if (of === undefined) return null;
  const ended = snapshot === null ? of : snapshot.requests.completed + snapshot.requests.rejected;
  const wholeMs = ended > 0 ? (wallMs * of) / ended : wallMs;
  return { of, requests: within(of, wholeMs) };
}

/** The same after a sample took so long. */
export const shorter = ({ requests, of }: Sample, tookMs: number): Sample =>
  tookMs <= 1.4 * answerMs ? { requests, of } : { of, requests: Math.min(requests, within(requests, tookMs)) };

function within(requests: number, ms: number): number {
  if (!(ms > answerMs)) return requests;
  return Math.min(requests, Math.max(fewest, Number(((requests * answerMs) / ms).toPrecision(2))));
}

/** The setting that makes a run this long; none for all requests. */
export const sampleSettings = ({ requests, of }: Sample): readonly string[] =>
  requests >= of ? [] : [`traffic.requests=${requests}`];
