import { quantiles } from "../../core/quantile.ts";
import { countedRequests, type RequestMetric, requestValues } from "../../sim/outcome/request-latencies.ts";
import type { RequestRows } from "../../sim/result.ts";

/** Latencies with one value per request that a result keeps the distribution of. */
export const picturedLatencies = ["ttft", "tpot", "e2e"] as const satisfies readonly RequestMetric[];
type PicturedLatency = (typeof picturedLatencies)[number];

/** Latencies by the share of requests that were at least as quick, of completed requests after the warm-up. */
export interface LatencyPicture {
  /** From 0 (the quickest) to 1 (the slowest). */
  readonly shares: readonly number[];
  /** [shares] ms, type 7; empty without requests. */
  readonly ms: Readonly<Record<PicturedLatency, readonly number[]>>;
}

/** Every 2.5 % of requests, and closer where the tail is. */
const shares: readonly number[] = [
  ...Array.from({ length: 39 }, (_, i) => i / 40),
  ...[0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 1],
];

export function latencyPicture(rows: RequestRows): LatencyPicture {
  const counted = countedRequests(rows, null);
  const of = (metric: PicturedLatency): number[] => {
    const values = requestValues(rows, metric, counted);
    return values.length === 0 ? [] : quantiles(values, shares).map((ns) => Number((ns / 1e6).toPrecision(6)));
  };
  return { shares, ms: { ttft: of("ttft"), tpot: of("tpot"), e2e: of("e2e") } };
}
