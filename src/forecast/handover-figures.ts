import { quantiles } from "../core/quantile.ts";
import { mean } from "../core/statistics.ts";
import type { HandoverFigures, WaitFigures } from "../metrics/figures.ts";
import { countedRequests } from "../sim/outcome/request-latencies.ts";
import type { HandoverRows, RunResult } from "../sim/result.ts";

/** How requests changed pools: what they waited for, and what was sent. */
export function handoverFigures({ requests }: RunResult, rows: HandoverRows): HandoverFigures {
  const arrived = rows.arrivedNs.filter((at) => !Number.isNaN(at)).length;
  const counted = countedRequests(requests, null).filter((request) => !Number.isNaN(rows.arrivedNs[request]!));
  const between = (from: (request: number) => number, to: (request: number) => number) =>
    waits(Float64Array.from(counted, (request) => to(request) - from(request)));
  const { askedNs, reservedNs, computedNs, arrivedNs, decodedNs } = rows;
  return {
    requests: arrived,
    bytesPerRequest: arrived > 0 ? rows.bytes / arrived : 0,
    room: between(
      (r) => askedNs[r]!,
      (r) => reservedNs[r]!,
    ),
    transfer: between(
      (r) => Math.max(computedNs[r]!, reservedNs[r]!),
      (r) => arrivedNs[r]!,
    ),
    decodeQueue: waits(
      Float64Array.from(counted, (r) => decodedNs[r]! - arrivedNs[r]!).filter((ns) => !Number.isNaN(ns)),
    ),
  };
}

/** Mean and percentiles, ms; null without samples. */
function waits(values: Float64Array): WaitFigures | null {
  if (values.length === 0) return null;
  const [p50, p90, p99] = quantiles(values, [0.5, 0.9, 0.99]) as [number, number, number];
  const ms = (ns: number) => ns / 1e6;
  return { n: values.length, mean: ms(mean(values)), p50: ms(p50), p90: ms(p90), p99: ms(p99) };
}
