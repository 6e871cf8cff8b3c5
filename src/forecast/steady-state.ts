import { mser5, slope } from "../core/statistics.ts";
import type { RunResult } from "../sim/result.ts";
import { measuredRequests, requestValues } from "./measured-requests.ts";

const requestsMin = 50;

/**
 * Whether the measured part of a run looks stationary: the warm-up that MSER-5 finds in the end-to-end latencies
 * (White, Cobb and Spratt 2000) lies within the first tenth of the measured requests, and the waiting queue does not
 * grow while requests arrive. An overloaded deployment is never called stationary.
 */
export function steadyState(run: RunResult): { readonly reached: boolean; readonly reason: string } {
  if (run.saturation.verdict === "overloaded")
    return { reached: false, reason: "overloaded: the backlog grows as long as requests arrive" };
  const values = requestValues(run.requests, "e2e", measuredRequests(run.requests, null));
  if (values.length < requestsMin)
    return { reached: false, reason: `too few requests to test: ${values.length} measured, ${requestsMin} needed` };
  const cut = mser5(values);
  if (cut > values.length / 10)
    return {
      reached: false,
      reason: `latencies settle only after ${cut} of ${values.length} measured requests (MSER-5): raise warmup`,
    };
  const growth = waitingGrowth(run);
  if (growth.rise > Math.max(1, growth.mean))
    return {
      reached: false,
      reason: `the waiting queue grows by ${growth.rise.toFixed(1)} requests while they arrive (mean ${growth.mean.toFixed(1)})`,
    };
  return { reached: true, reason: "latencies are settled after the warm-up (MSER-5), the waiting queue does not grow" };
}

/** Growth of the waiting queue between the end of the warm-up and the last arrival, by its least-squares line. */
function waitingGrowth(run: RunResult): { readonly rise: number; readonly mean: number } {
  const { requests, series } = run;
  const first = requests.arrivalNs[requests.warmup] ?? 0;
  const last = requests.arrivalNs[requests.count - 1] ?? 0;
  const times: number[] = [];
  const waiting: number[] = [];
  for (const [index, value] of series.waiting.entries()) {
    const atNs = index * series.intervalNs;
    if (atNs < first || atNs > last) continue;
    times.push(atNs);
    waiting.push(value);
  }
  if (times.length < 3 || run.saturation.verdict === "closed-loop") return { rise: 0, mean: 0 };
  const mean = waiting.reduce((sum, value) => sum + value, 0) / waiting.length;
  return { rise: slope(times, waiting) * (last - first), mean };
}
