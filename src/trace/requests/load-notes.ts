import { formatCount, formatDuration, formatNumber } from "../../core/units.ts";
import type { Assumption } from "../request-table.ts";
import type { ArrivalTimes } from "./arrival-times.ts";
import type { LoadRequestsOptions } from "./load-options.ts";
import type { RowCollector } from "./row-collector.ts";

/** What was left out, moved or scaled while a trace was read. */
export function readingNotes(rows: RowCollector, times: ArrivalTimes, options: LoadRequestsOptions): string[] {
  const { thin, limit, fromNs, untilNs, jitterQuantumNs, rateScale, seed = 0 } = options;
  const notes: string[] = [];
  if (rows.emptyRows > 0)
    notes.push(`${rows.emptyRows} rows without prompt or output tokens left out (first: ${rows.firstEmpty})`);
  if (rows.failedRows > 0) notes.push(`${rows.failedRows} failed requests left out (first: ${rows.firstFailed})`);
  if (rows.warmUpRows > 0) notes.push(`${rows.warmUpRows} warm-up requests left out (first: ${rows.firstWarmUp})`);
  notes.push(...rows.said);
  if (thin !== undefined) notes.push(`thinned to a share of ${thin} (seed ${seed}): ${rows.count} of ${rows.rows}`);
  const { kept, recordedNs } = times;
  if (fromNs !== undefined || untilNs !== undefined) {
    const part = [
      ...(fromNs === undefined ? [] : [`from ${formatDuration(fromNs)} on`]),
      ...(untilNs === undefined ? [] : [`before ${formatDuration(untilNs)}`]),
    ];
    notes.push(`${kept.length} of ${rows.count} requests: those ${part.join(" and ")}`);
  }
  if (limit !== undefined && kept.length === limit && (rows.full || kept.length < rows.count))
    notes.push(`first ${limit} requests only`);
  const own = recordedNs.filter((ns) => !Number.isNaN(ns));
  const misplaced = own.reduce((count, ns, i) => (i > 0 && ns < own[i - 1]! ? count + 1 : count), 0);
  if (misplaced > 0) notes.push(`${misplaced} rows earlier than the row before them; sorted by arrival`);
  const distinct = own
    .slice()
    .sort()
    .reduce((found, atNs, i, sorted) => found + (atNs === sorted[i - 1] ? 0 : 1), 0);
  if (jitterQuantumNs !== undefined)
    notes.push(
      `arrivals moved by uniform jitter inside a quantum of ${formatDuration(jitterQuantumNs)} (seed ${seed})`,
    );
  else if (distinct * 2 < own.length)
    notes.push(`${own.length} requests share ${distinct} arrival times: quantised timestamps replay as bursts`);
  if (rateScale !== undefined && rateScale !== 1) notes.push(`time compressed by ${rateScale}`);
  return notes;
}

/** Published traces of whole services stay below; a wrong unit makes loads above. */
const requestRateMax = 50;
const tokenRateMax = 1e6;
/** Mean gap above which so many requests are a trickle, which a wrong unit may be too. */
const meanGapMaxNs = 100e9;
const trickleRequestsMin = 10;
/** Fewer requests have no rate. */
const requestsMin = 3;

/** A load that a wrong unit of time may have made. */
export function oddLoad(
  rows: RowCollector,
  { kept, atNs }: ArrivalTimes,
  { rateScale = 1 }: LoadRequestsOptions,
): Assumption[] {
  const odd = (detail: string): Assumption[] => [{ topic: "offered load", detail }];
  const spanNs = atNs.reduce((most, ns) => Math.max(most, ns), 0) * rateScale;
  // Dates have no unit to be mistaken in.
  if (rows.start?.calendar !== false) return [];
  if (spanNs === 0 || kept.length < requestsMin) return [];
  const perSecond = ((kept.length - 1) / spanNs) * 1e9;
  const tokens = kept.reduce((sum, row) => sum + rows.prompt.at(row) + rows.output.at(row), 0);
  const tokensPerSecond = (tokens / spanNs) * 1e9;
  if (perSecond > requestRateMax || tokensPerSecond > tokenRateMax)
    return odd(
      `warning: ${formatNumber(perSecond)} requests and ${formatCount(Math.round(tokensPerSecond))} tokens arrive a second, more than recorded services are offered; if the times count a larger unit, say it with timeUnit`,
    );
  if (kept.length >= trickleRequestsMin && spanNs / (kept.length - 1) > meanGapMaxNs)
    return odd(
      `warning: a request arrives every ${formatDuration(spanNs / (kept.length - 1))}; if the times count a smaller unit, say it with timeUnit`,
    );
  return [];
}
