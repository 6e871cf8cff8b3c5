import { mean } from "../core/statistics.ts";
import { countedRequests, type RequestMetric, requestValues } from "../sim/outcome/request-latencies.ts";
import { type RequestRows, requestStatus } from "../sim/result.ts";

const completedOf = ({ status }: RequestRows): number[] =>
  Array.from(status.keys()).filter((request) => status[request] === requestStatus.completed);

/** Completed requests in order of arrival, as the lists of a detailed result: tokens, and times in seconds. */
export function benchRequests(rows: RequestRows): Readonly<Record<string, readonly number[]>> {
  const completed = completedOf(rows);
  const { arrivalNs, firstTokenNs, lastTokenNs, promptTokens, outputTokens } = rows;
  const sinceArrival = (timesNs: Float64Array) =>
    completed.map((request) => (timesNs[request]! - arrivalNs[request]!) / 1e9);
  return {
    input_lens: completed.map((request) => promptTokens[request]!),
    output_lens: completed.map((request) => outputTokens[request]!),
    ttfts: sinceArrival(firstTokenNs),
    latencies: sinceArrival(lastTokenNs),
    start_times: completed.map((request) => arrivalNs[request]! / 1e9),
  };
}

/** Most completed requests under way at once; one that ends when another arrives makes room for it. */
export function mostUnderWay(rows: RequestRows): number {
  const completed = completedOf(rows);
  const sorted = (timesNs: Float64Array) => Float64Array.from(completed, (request) => timesNs[request]!).sort();
  const [starts, ends] = [sorted(rows.arrivalNs), sorted(rows.lastTokenNs)];
  let ended = 0;
  let most = 0;
  for (const [begun, startNs] of starts.entries()) {
    while (ends[ended]! <= startNs) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}

/** Standard deviations of the latencies of counted requests, ms, divided by their number as numpy does. */
export function deviations(rows: RequestRows): Readonly<Partial<Record<string, number>>> {
  const counted = countedRequests(rows, null);
  const of = (metric: RequestMetric): number | undefined => {
    const values = requestValues(rows, metric, counted);
    if (values.length === 0) return undefined;
    const centre = mean(values);
    return Math.sqrt(mean(values.map((value) => (value - centre) * (value - centre)))) / 1e6;
  };
  const all = { ttft: of("ttft"), tpot: of("tpot"), e2e: of("e2e") };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<
    Record<string, number>
  >;
}
