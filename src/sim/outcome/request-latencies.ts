import { quantile } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import { type RequestRows, type RunResult, requestStatus } from "../result.ts";

/** Latencies of requests; `itl` is of the gaps between their tokens. */
export const latencyMetrics = ["ttft", "tpot", "itl", "e2e", "queue"] as const;
export type LatencyMetric = (typeof latencyMetrics)[number];

/** Samples of one latency metric in ns, exact or as a histogram. */
export interface LatencySamples {
  readonly count: number;
  mean(): number;
  min(): number;
  max(): number;
  /** Type-7 quantile; p in [0, 1]. */
  quantile(p: number): number;
  /** The value with `rank` values before it. */
  atRank(rank: number): number;
}

/** Metrics with one value per request. Inter-token gaps are kept as a histogram. */
export type RequestMetric = Exclude<LatencyMetric, "itl">;

/** TTFT, E2E and queueing count from the arrival of the request. A single output token has no TPOT. */
const valueFrom: Readonly<Record<RequestMetric, (rows: RequestRows, request: number) => number>> = {
  ttft: (rows, request) => rows.firstTokenNs[request]! - rows.arrivalNs[request]!,
  e2e: (rows, request) => rows.lastTokenNs[request]! - rows.arrivalNs[request]!,
  queue: (rows, request) => rows.scheduledNs[request]! - rows.arrivalNs[request]!,
  tpot: (rows, request) => {
    const gaps = rows.outputTokens[request]! - 1;
    return gaps < 1 ? Number.NaN : (rows.lastTokenNs[request]! - rows.firstTokenNs[request]!) / gaps;
  },
};

/** Requests that statistics are made of: completed, after the warm-up. `requestClass` null means every class. */
export function countedRequests(rows: RequestRows, requestClass: string | null): Uint32Array {
  const wanted = requestClass === null ? -1 : rows.classes.indexOf(requestClass);
  const found: number[] = [];
  for (let request = rows.warmup; request < rows.count; request += 1) {
    if (rows.status[request] !== requestStatus.completed) continue;
    if (requestClass === null || rows.classOf[request] === wanted) found.push(request);
  }
  return Uint32Array.from(found);
}

/** Value of a metric for one completed request, ns; NaN where it is not defined. */
export const requestValue = (rows: RequestRows, metric: RequestMetric, request: number): number =>
  valueFrom[metric](rows, request);

/** Values of a metric in order of arrival, ns. */
export function requestValues(rows: RequestRows, metric: RequestMetric, requests: Uint32Array): Float64Array {
  const values = Float64Array.from(requests, (request) => valueFrom[metric](rows, request));
  return metric === "tpot" ? values.filter((value) => !Number.isNaN(value)) : values;
}

/** Samples of a metric over one class or all. Inter-token gaps are known over all classes only; a class has none. */
export function latencySamples(run: RunResult, metric: LatencyMetric, requestClass: string | null): LatencySamples {
  if (metric === "itl") return requestClass === null ? run.itl : samplesOf(new Float64Array(0));
  return samplesOf(requestValues(run.requests, metric, countedRequests(run.requests, requestClass)));
}

/** Exact samples behind the interface of {@link LatencySamples}. */
export function samplesOf(values: Float64Array): LatencySamples {
  return {
    count: values.length,
    mean: () => mean(values),
    min: () => values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY),
    max: () => values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY),
    quantile: (p) => quantile(values, p),
    atRank: (rank) => values.toSorted()[rank] ?? Number.NaN,
  };
}
