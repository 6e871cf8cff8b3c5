import { formatNumber, formatPercent } from "../../core/units.ts";
import type { JsonView } from "./json-view.ts";
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

/** Ratio from which on two mean times per token are not the same: means over requests weigh tokens otherwise. */
const tokenTimeRatio = 1.3;
/** Rounding, and ends of a run counted in or out. */
const rateRatio = 1.1;
/** Requests that end are missed for a moment by the client that sends the next. */
const clientsRatio = 1.05;
/** Share of the clients that wait for an answer, on average, in any run worth comparing: ramp and drain take the rest. */
const busyShareMin = 0.25;

const apart = (a: number, b: number, ratio: number): boolean => a > ratio * b || b > ratio * a;
const ms = (value: number): string => `${formatNumber(value, 4)} ms`;

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
      if (stated === undefined || !(following > 0) || !apart(stated, following, tokenTimeRatio)) return null;
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
      if (itl?.mean === undefined || tpot === undefined || !apart(itl.mean, tpot, tokenTimeRatio)) return null;
      return {
        mended: { metrics: others },
        note: `states gaps of ${ms(itl.mean)} beside a TPOT of ${ms(tpot)}: not those between single tokens, left out`,
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
    check({ concurrency, requestRate, requestThroughput, metrics: { e2e } }) {
      if (concurrency === null || requestThroughput === null || e2e?.mean === undefined) return null;
      const underWay = (requestThroughput * e2e.mean) / 1e3;
      if (underWay > clientsRatio * concurrency)
        return {
          expected: `at most ${concurrency} requests under way, its concurrency`,
          found: `${formatNumber(underWay, 4)}, from ${formatNumber(requestThroughput, 4)} requests/s of ${ms(e2e.mean)}`,
        };
      if (requestRate !== null || underWay >= busyShareMin * concurrency) return null;
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
