import { mean, variance } from "../../core/statistics.ts";
import type { RequestTable } from "../request-table.ts";

/** Lengths in tokens; percentiles are the order statistic at floor(p n). */
interface LengthSummary {
  readonly mean: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What a workload looks like before it is replayed. */
export interface RequestSummary {
  readonly count: number;
  /** From the first arrival to the last, ns. */
  readonly spanNs: number;
  /** Arrivals after the first per second of span; null where all arrive at once. */
  readonly ratePerSecond: number | null;
  /** Standard deviation over mean of inter-arrival times; 1 for Poisson. */
  readonly interarrivalCv: number | null;
  /** Index of dispersion: population variance over mean of the arrivals in windows of 10 s; 1 for Poisson. */
  readonly dispersion10s: number | null;
  /** Most arrivals in one of the consecutive minutes from the first arrival. */
  readonly peakPerMinute: number;
  readonly longestGapNs: number;
  readonly distinctArrivals: number;
  readonly prompt: LengthSummary;
  readonly output: LengthSummary;
  /** Pearson correlation of prompt and output tokens; null where one is constant. */
  readonly lengthCorrelation: number | null;
  /** Prefix blocks; `hitRateMax` is the share of blocks seen before, which an infinite cache would hit. */
  readonly prefix: { readonly blocks: number; readonly distinct: number; readonly hitRateMax: number } | null;
}

/** Describes a table of at least one request. */
export function summariseRequests(table: RequestTable): RequestSummary {
  const { arrivalNs, count } = table;
  const gapsNs = Float64Array.from({ length: count - 1 }, (_, i) => arrivalNs[i + 1]! - arrivalNs[i]!);
  const spanNs = arrivalNs[count - 1]! - arrivalNs[0]!;
  return {
    count,
    spanNs,
    ratePerSecond: spanNs > 0 ? (count - 1) / (spanNs / 1e9) : null,
    interarrivalCv: spanNs > 0 && gapsNs.length > 1 ? Math.sqrt(variance(gapsNs)) / mean(gapsNs) : null,
    dispersion10s: dispersion(windowCounts(arrivalNs, 10e9)),
    peakPerMinute: windowCounts(arrivalNs, 60e9).reduce((most, arrivals) => Math.max(most, arrivals), 0),
    longestGapNs: gapsNs.reduce((longest, gapNs) => Math.max(longest, gapNs), 0),
    distinctArrivals: gapsNs.reduce((distinct, gapNs) => (gapNs > 0 ? distinct + 1 : distinct), 1),
    prompt: lengthSummary(table.promptTokens),
    output: lengthSummary(table.outputTokens),
    lengthCorrelation: correlation(table.promptTokens, table.outputTokens),
    prefix: prefixSummary(table),
  };
}

function lengthSummary(tokens: Uint32Array): LengthSummary {
  const sorted = tokens.slice().sort();
  const at = (p: number): number => sorted[Math.floor(p * sorted.length)]!;
  const max = sorted[sorted.length - 1]!;
  return { mean: mean(Float64Array.from(tokens)), p10: at(0.1), p50: at(0.5), p90: at(0.9), p99: at(0.99), max };
}

/** Arrivals in consecutive windows from the first arrival, the last window cut off where the trace ends. */
function windowCounts(arrivalNs: Float64Array, windowNs: number): Float64Array {
  const firstNs = arrivalNs[0]!;
  const counts = new Float64Array(Math.floor((arrivalNs.at(-1)! - firstNs) / windowNs) + 1);
  for (const atNs of arrivalNs) counts[Math.floor((atNs - firstNs) / windowNs)]! += 1;
  return counts;
}

function dispersion(counts: Float64Array): number | null {
  const population = (counts.length - 1) / counts.length;
  return counts.length > 1 ? (variance(counts) * population) / mean(counts) : null;
}

function correlation(xs: Uint32Array, ys: Uint32Array): number | null {
  const [meanX, meanY] = [mean(Float64Array.from(xs)), mean(Float64Array.from(ys))];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < xs.length; i += 1) {
    const [dx, dy] = [xs[i]! - meanX, ys[i]! - meanY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

function prefixSummary({ prefix, promptTokens }: RequestTable): RequestSummary["prefix"] {
  if (prefix === null || prefix.ids.length === 0) return null;
  const { ids, offsets, blockTokens } = prefix;
  const seen = new Uint8Array(ids.reduce((most, id) => Math.max(most, id), 0) + 1);
  let blocks = 0;
  let distinct = 0;
  for (const [request, tokens] of promptTokens.entries()) {
    // Behind those of a prompt may stand the blocks of its answer, which others find.
    const asked = Math.ceil(tokens / blockTokens);
    for (let at = offsets[request]!; at < offsets[request + 1]!; at += 1) {
      const id = ids[at]!;
      if (at - offsets[request]! < asked) {
        blocks += 1;
        distinct += 1 - seen[id]!;
      }
      seen[id] = 1;
    }
  }
  return { blocks, distinct, hitRateMax: (blocks - distinct) / blocks };
}
