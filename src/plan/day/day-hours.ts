import { meetsLimits, type RequestLimits } from "../../metrics/goodput.ts";
import { type ReplicaCount, type RequestRows, type RunResult, requestStatus } from "../../sim/result.ts";
import type { DayHour } from "./day-plan.ts";

/** Devices that are on from a time on, of one pool. */
export interface DevicesFrom {
  readonly atNs: number;
  readonly devices: number;
}

/** Devices of a pool over the run: those of all replicas where none comes or goes. */
export function devicesOver(changes: readonly ReplicaCount[] | null, replicas: number, each: number): DevicesFrom[] {
  if (changes === null) return [{ atNs: 0, devices: replicas * each }];
  return changes.map(({ atNs, starting, serving, draining }) => ({
    atNs,
    devices: (starting + serving + draining) * each,
  }));
}

/** The hours of a run, up to the one with its last token, each `hourNs` long. Requests of the warm-up count nowhere. */
export function dayHours(
  { requests: rows, endNs }: Pick<RunResult, "requests" | "endNs">,
  pools: readonly (readonly DevicesFrom[])[],
  limits: RequestLimits,
  hourNs: number,
): DayHour[] {
  const count = Math.max(1, Math.ceil(endNs / hourNs));
  const requests = new Uint32Array(count);
  const misses = new Uint32Array(count);
  for (let request = rows.warmup; request < rows.count; request++) {
    if (rows.status[request] === requestStatus.rejected) continue;
    const hour = Math.min(count - 1, Math.floor(rows.arrivalNs[request]! / hourNs));
    requests[hour]!++;
    if (isMissed(rows, limits, request)) misses[hour]!++;
  }
  const devices = pools.map((changes) => devicesByHour(changes, endNs, hourNs, count));
  const sum = (of: (pool: { mean: Float64Array; most: Float64Array }) => number) =>
    devices.reduce((total, pool) => total + of(pool), 0);
  return Array.from(requests, (arrived, hour) => ({
    requests: arrived,
    misses: misses[hour]!,
    meanDevices: sum(({ mean }) => mean[hour]!),
    mostDevices: sum(({ most }) => most[hour]!),
  }));
}

/** Index of the hour with the largest share of misses, the first of equal ones; null without any. */
export function worstHour(hours: readonly DayHour[]): number | null {
  const share = ({ requests, misses }: DayHour) => (requests === 0 ? 0 : misses / requests);
  const worst = hours.reduce((at, hour, i) => (share(hour) > share(hours[at]!) ? i : at), 0);
  return share(hours[worst]!) === 0 ? null : worst;
}

/** Whether a request is not served within its limits: not completed, or too late. */
const isMissed = (rows: RequestRows, limits: RequestLimits, request: number): boolean =>
  rows.status[request] !== requestStatus.completed || !meetsLimits(rows, limits, request);

function devicesByHour(changes: readonly DevicesFrom[], endNs: number, hourNs: number, count: number) {
  const most = new Float64Array(count);
  const deviceNs = new Float64Array(count);
  for (const [i, { atNs, devices }] of changes.entries()) {
    const untilNs = changes[i + 1]?.atNs ?? endNs;
    for (let hour = Math.floor(atNs / hourNs); hour < count && hour * hourNs < untilNs; hour++) {
      deviceNs[hour]! += devices * (Math.min(untilNs, (hour + 1) * hourNs) - Math.max(atNs, hour * hourNs));
      most[hour] = Math.max(most[hour]!, devices);
    }
  }
  const lengthOf = (hour: number) => Math.min(endNs, (hour + 1) * hourNs) - hour * hourNs;
  return { most, mean: deviceNs.map((ns, hour) => (lengthOf(hour) > 0 ? ns / lengthOf(hour) : 0)) };
}
