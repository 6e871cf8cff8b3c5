import { formatNumber, formatPercent } from "../../core/units.ts";
import type { JsonView } from "./json-view.ts";
import type { LatencyStatistics } from "./latency-statistics.ts";
import type { MeasuredBenchmark } from "./measured-benchmark.ts";

/** What became of a measurement that a law was held against. */
type Outcome =
  /** In accord, or not enough is stated. */
  | null
  /** A figure that contradicts others, replaced by what follows from them or left out. */
  | { readonly mended: Partial<MeasuredBenchmark>; readonly note: string }
  /** Figures of which none can be told to be right. */
  | { readonly expected: string; readonly found: string };

/** A relation between figures of one measurement. */
interface Law {
  readonly name: string;
  check(benchmark: MeasuredBenchmark): Outcome;
}

/** Share of requests that may fail: the load of those that completed is still the one that was asked for. */
export const failedShareMax = 0.05;

/** Ratio from which on two typical times per token are not the same: means over requests weigh tokens otherwise. */
const tokenTimeRatio = 1.3;
/** Share of the mean decoding time that the median has at least, where lengths differ little. */
const evenShareMin = 0.8;
/** Share of the mean E2E up to which TTFT leaves medians of E2E to decoding. */
const queueingShareMax = 0.25;
/** Rounding, and ends of a run counted in or out. */
const rateRatio = 1.1;
/** Requests that end are missed for a moment by the client that sends the next. */
const clientsRatio = 1.05;
/** Share of the clients that wait for an answer, on average, in any run worth comparing: ramp and drain take the rest. */
const busyShareMin = 0.25;

/** Share of the run that its longest requests take, where each client sends one. */
const oneWaveShareMin = 0.5;

const apart = (a: number, b: number, ratio: number): boolean => a > ratio * b || b > ratio * a;
/** Answers of few tokens that wait for prompts raise the mean over requests, and leave the median. */
const typical = ({ mean, p50 }: LatencyStatistics): number[] => [mean, p50].filter((value) => value !== undefined);
const ms = (value: number): string => `${formatNumber(value, 4)} ms`;

/** E2E of a typical request from its parts, where a tool does not state it; null where parts are missing. */
function meanE2e(ttftMs: number | undefined, tpotMs: number | undefined, tokens: number | null): number | null {
  return ttftMs === undefined || tpotMs === undefined || tokens === null ? null : ttftMs + tpotMs * (tokens - 1);
}

/**
 * Whether a mean TPOT over requests may well be longer than `overTokens`, one over tokens: where a few long answers make the
 * latter, short ones, which wait for prompts most, raise the former. Gaps between tokens tell, else medians, unless these
 * are of queueing.
 */
function mayExceed(overTokens: number, { ttft, itl, e2e }: MeasuredBenchmark["metrics"]): boolean {
  if (itl?.mean !== undefined && !apart(itl.mean, overTokens, tokenTimeRatio)) return true;
  if (e2e?.p50 === undefined || e2e.mean === undefined) return false;
  const firstMs = ttft?.mean ?? 0;
  if (itl === undefined && firstMs > queueingShareMax * e2e.mean) return true;
  return e2e.p50 - (ttft?.p50 ?? firstMs) < evenShareMin * (e2e.mean - firstMs);
}

/** What is wrong with so many failed requests beside those that completed (null: not counted); null for few. */
export function tooManyFailed(failed: number, completed: number | null): { expected: string; found: string } | null {
  if (failed === 0 || (completed !== null && failed <= failedShareMax * (failed + completed))) return null;
  return {
    expected: `at most ${formatPercent(failedShareMax)} of the requests failed: the others were served under another load`,
    found: `${failed} failed${completed === null ? "" : `, ${completed} completed`}`,
  };
}

/** Held in this order; each sees what those before it mended. */
export const consistencyLaws: readonly Law[] = [
  {
    name: "few requests fail",
    check({ failed, requests }) {
      if (failed === null || failed === 0) return null;
      const refused = tooManyFailed(failed, requests);
      if (refused !== null) return refused;
      const share = failed / (failed + (requests ?? 0));
      return {
        mended: {},
        note: `${failed} of ${failed + (requests ?? 0)} requests failed (${formatPercent(share)}): figures are of the others`,
      };
    },
  },
  {
    name: "a request ends after its first token",
    check({ metrics: { ttft, e2e } }) {
      if (ttft?.mean === undefined || e2e?.mean === undefined || e2e.mean >= ttft.mean) return null;
      return { expected: `a mean E2E of at least the mean TTFT, ${ms(ttft.mean)}`, found: ms(e2e.mean) };
    },
  },
  {
    name: "TPOT is what lies between first and last token",
    check({ metrics, meanOutputTokens }) {
      const { ttft, tpot, e2e } = metrics;
      if (tpot === undefined || ttft?.mean === undefined || e2e?.mean === undefined) return null;
      if (meanOutputTokens === null || meanOutputTokens <= 1) return null;
      const following = (e2e.mean - ttft.mean) / (meanOutputTokens - 1);
      const stated = tpot.mean ?? tpot.p50;
      if (
        stated === undefined ||
        !(following > 0) ||
        typical(tpot).some((own) => !apart(own, following, tokenTimeRatio))
      )
        return null;
      if (stated > following && mayExceed(following, metrics)) return null;
      return {
        mended: { metrics: { ...metrics, tpot: { mean: following } } },
        note:
          `states a TPOT of ${ms(stated)}, and figures of which (E2E - TTFT) / (output tokens - 1) is ${ms(following)}: ` +
          "taken from these, without percentiles (tools that divide by chunks of a stream are off by the tokens of a chunk)",
      };
    },
  },
  {
    name: "gaps between tokens are as long as TPOT",
    check({ metrics }) {
      const { itl, ...others } = metrics;
      const tpot = others.tpot?.mean;
      const gap = itl?.mean;
      if (gap === undefined || tpot === undefined) return null;
      if (typical(others.tpot ?? {}).some((own) => !apart(gap, own, tokenTimeRatio))) return null;
      // Gaps are weighed by tokens.
      if (gap < tpot && (others.e2e?.p50 === undefined || mayExceed(gap, others))) return null;
      return {
        mended: { metrics: others },
        note: `states gaps of ${ms(gap)} beside a TPOT of ${ms(tpot)}: not those between single tokens, left out`,
      };
    },
  },
  {
    name: "requests over time are their rate",
    check({ requests, seconds, requestThroughput }) {
      if (requests === null || seconds === null || requestThroughput === null || seconds === 0) return null;
      const following = requests / seconds;
      if (!apart(requestThroughput, following, rateRatio)) return null;
      return {
        mended: { requestThroughput: following },
        note: `states ${formatNumber(requestThroughput, 4)} requests/s, and ${requests} requests in ${formatNumber(seconds, 4)} s: ${formatNumber(following, 4)} taken`,
      };
    },
  },
  {
    name: "output tokens of a second are those of its requests",
    check({ requestThroughput, meanOutputTokens, outputTokensPerSecond }) {
      if (requestThroughput === null || meanOutputTokens === null || outputTokensPerSecond === null) return null;
      const following = requestThroughput * meanOutputTokens;
      if (!apart(outputTokensPerSecond, following, rateRatio)) return null;
      return {
        mended: { outputTokensPerSecond: following },
        note: `states ${formatNumber(outputTokensPerSecond, 4)} output tokens/s, and requests that bring ${formatNumber(following, 4)}: these taken`,
      };
    },
  },
  {
    name: "no more requests are under way than clients",
    check({ concurrency, requestRate, requestThroughput, seconds, meanOutputTokens, metrics: { ttft, tpot, e2e } }) {
      const followingMs = meanE2e(ttft?.mean, tpot?.p50 ?? tpot?.mean, meanOutputTokens);
      const e2eMs = e2e?.mean ?? followingMs;
      if (concurrency === null || requestThroughput === null || e2eMs === null) return null;
      const underWay = (requestThroughput * e2eMs) / 1e3;
      if (underWay > (e2e?.mean === undefined ? tokenTimeRatio : clientsRatio) * concurrency)
        return {
          expected: `at most ${concurrency} requests under way, its concurrency`,
          found: `${formatNumber(underWay, 4)}, from ${formatNumber(requestThroughput, 4)} requests/s of ${ms(e2eMs)}`,
        };
      if (requestRate !== null || underWay >= busyShareMin * concurrency) return null;
      // All at once, a few long answers make the run: most clients are done early.
      if (seconds !== null && (e2e?.p99 ?? 0) / 1e3 > oneWaveShareMin * seconds) return null;
      return {
        mended: { concurrency: null, meanUnderWay: underWay },
        note: `states ${concurrency} requests at a time, and figures by which ${formatNumber(underWay, 3)} were under way: these taken`,
      };
    },
  },
];

/** A benchmark whose figures agree; those that cannot be told right are noted at its document as problems. */
export function settled(benchmark: MeasuredBenchmark, document: JsonView): MeasuredBenchmark {
  let current = benchmark;
  for (const law of consistencyLaws) {
    const outcome = law.check(current);
    if (outcome === null) continue;
    if ("expected" in outcome) document.problem(outcome.expected, outcome.found);
    else {
      current = { ...current, ...outcome.mended };
      document.note(outcome.note);
    }
  }
  return current;
}
