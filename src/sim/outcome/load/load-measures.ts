import { mean, variance } from "../../../core/statistics.ts";
import { CountPath } from "./count-path.ts";
import type { LoadRows } from "./load-rows.ts";
import { marginalService } from "./marginal-service.ts";
import { requestLengths } from "./request-lengths.ts";

/** Share of the arrival span, at the start, that the growth leaves out: the deployment fills up. */
const fillShare = 0.25;
/** Requests at the start that are left out of the times, and groups the others are averaged in. */
const startShare = 0.1;
const groups = 10;
/** Windows in which arrivals are counted for their spread. */
const windows = 20;
/** Squared coefficients of variation below which arrivals and lengths are not trusted to be regular. */
const spreadMin = 0.25;
const arrivalSpreadMin = 0.1;
/** Largest spread of lengths that widens what is called settled: beyond it, rare long requests make the spread. */
const lengthSpreadMax = 1;

/** What the verdict on an open load is made of. Every score is in standard deviations of chance. */
export interface LoadMeasures {
  readonly requests: number;
  /** Arrivals per ns. */
  readonly offered: number;
  /**
   * Growth after the start of the requests that wait, and of all in the system; against a deployment just kept busy.
   */
  readonly waitingGrowth: number;
  readonly growth: number;
  readonly waiting: { readonly from: number; readonly to: number };
  readonly inSystem: { readonly from: number; readonly to: number };
  /** How far the load lies above the rate of ever larger batches, by the time that a further request costs. */
  readonly batchExcess: number;
  /** How far it lies below that rate; 0 where requests wait outside the batch. */
  readonly batchReserve: number;
  /** Spread of the time in system relative to a random walk of the same arrivals and lengths. */
  readonly wander: number;
  /** Arrival span in times in system of a mean request. */
  readonly turnovers: number;
  /** When the growth begins, and since when requests were waiting, ns. */
  readonly growthFromNs: number;
  readonly waitingSinceNs: number;
}

/** Measures an open load of more than a handful of requests over a span > 0. */
export function measureLoad(rows: LoadRows): LoadMeasures {
  const { arrivalNs, scheduledNs, completedNs, count, serviceNs } = rows;
  const n = arrivalNs.length;
  const first = arrivalNs[0]!;
  const last = arrivalNs[n - 1]!;
  const spanNs = last - first;
  const offered = (n - 1) / spanNs;
  const gaps = Float64Array.from({ length: n - 1 }, (_, i) => arrivalNs[i + 1]! - arrivalNs[i]!);
  const arrivalSpread = variance(gaps) * offered * offered;
  const lengths = requestLengths(rows);
  const lengthSpread = count < 2 ? 0 : variance(lengths);
  const waitNs = Float64Array.from({ length: count }, (_, i) => scheduledNs[i]! - arrivalNs[i]!);

  const growthFromNs = first + fillShare * spanNs;
  const grown = n - arrivalNs.findIndex((at) => at >= growthFromNs);
  const spread = Math.max(arrivalSpread, windowSpread(arrivalNs), arrivalSpreadMin) + lengthSpread;
  const noise = Math.sqrt(spread * grown);
  const system = new CountPath(arrivalNs, completedNs);
  const queue = new CountPath(arrivalNs, scheduledNs);
  const rise = (path: CountPath) => ({ from: path.at(growthFromNs), to: path.at(last) });
  const [inSystem, waiting] = [rise(system), rise(queue)];

  const start = Math.floor(startShare * count);
  const grouped = groupTimes(start, waitNs, serviceNs, lengths);
  const walk = Math.sqrt(Math.max(arrivalSpread + Math.min(lengthSpread, lengthSpreadMax), spreadMin) * count);
  const batch = marginalService(rows, lengths, start, new CountPath(scheduledNs, completedNs));
  const grownRate = (grown - 1) / ((1 - fillShare) * spanNs);
  const chance = Math.sqrt((Math.max(arrivalSpread, arrivalSpreadMin) + lengthSpread) / n);
  const timeNs = count === 0 ? Number.POSITIVE_INFINITY : mean(serviceNs) + mean(waitNs);
  return {
    requests: n,
    offered,
    waitingGrowth: (waiting.to - waiting.from) / noise,
    growth: (inSystem.to - inSystem.from) / noise,
    waiting,
    inSystem,
    batchExcess: Math.log(Math.max(grownRate * batch.lowNs, 1e-9)) / Math.sqrt(spread / grown),
    batchReserve: grouped.waitShareMax < waitShareMax ? -Math.log(Math.max(offered * batch.highNs, 1e-9)) / chance : 0,
    wander: (offered * grouped.deviationNs) / walk,
    turnovers: spanNs / timeNs,
    growthFromNs,
    waitingSinceNs: Math.max(growthFromNs, queue.lastEmptyNs(last)),
  };
}

/** A group of requests that waits for more than this share of its time in system meets a limit of the batch. */
const waitShareMax = 0.05;

/** Time in system of a request of mean length by group: how far the groups differ, and the largest wait of one. */
function groupTimes(start: number, waitNs: Float64Array, serviceNs: Float64Array, lengths: Float64Array) {
  const count = waitNs.length - start;
  if (count < groups) return { deviationNs: Number.POSITIVE_INFINITY, waitShareMax: 1 };
  let largest = 0;
  const times = Float64Array.from({ length: groups }, (_, group) => {
    const from = start + Math.floor((count * group) / groups);
    const to = start + Math.floor((count * (group + 1)) / groups);
    const sum = (values: Float64Array) => values.subarray(from, to).reduce((total, value) => total + value, 0);
    const [wait, service] = [sum(waitNs), sum(serviceNs)];
    largest = Math.max(largest, wait / Math.max(1, wait + service));
    return wait / (to - from) + service / sum(lengths);
  });
  return { deviationNs: Math.sqrt((variance(times) * (groups - 1)) / groups), waitShareMax: largest };
}

/** Variance over mean of the arrivals in windows of equal length: above 1 for bursts that last. */
function windowSpread(arrivalNs: Float64Array): number {
  const n = arrivalNs.length;
  const first = arrivalNs[0]!;
  const spanNs = arrivalNs[n - 1]! - first;
  const counts = new Float64Array(windows);
  for (const at of arrivalNs) counts[Math.min(windows - 1, Math.floor(((at - first) / spanNs) * windows))]!++;
  return variance(counts) / (n / windows);
}
