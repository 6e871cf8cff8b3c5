import type { LoadMeasures } from "./load-measures.ts";
import { limits } from "./verdict-limits.ts";

/** More requests than the estimate, since it is made of a run that could not tell. */
const margin = 3;
/** An estimate of more than this many times the requests of the run is not given: the load lies close to the limit. */
const timesMax = 40;

/**
 * Requests of the same load that would settle the verdict, rounded up to two digits; null where no reasonable number
 * would. Growth rises with the number of requests, its chance with the root of that number; so does the reserve against
 * its chance. The spread of the time in system stays; that of a random walk rises with the root.
 */
export function requestsNeeded(measures: LoadMeasures): number | null {
  const { requests, waitingGrowth, growth, batchExcess, batchReserve, wander, turnovers } = measures;
  const times = (share: number) => (share > 0 ? share * share : Number.POSITIVE_INFINITY);
  const settled = Math.min(
    times(wander / limits.wander),
    batchReserve > 0 ? times(limits.reserve / batchReserve) : Infinity,
  );
  const stable = Math.max(settled, limits.turnovers / turnovers);
  const piled = Math.max(waitingGrowth, batchExcess > 0 ? growth : 0);
  // One standard deviation of what piled up may be chance.
  const overloaded = piled > 1 ? times(limits.growth / (piled - 1)) : Number.POSITIVE_INFINITY;
  const needed = margin * Math.max(1, Math.min(stable, overloaded));
  return needed <= timesMax ? roundUp(Math.max(needed * requests, limits.requestsFirst)) : null;
}

/** Rounded up to two significant digits. */
function roundUp(value: number): number {
  let unit = 1;
  while (value / unit >= 100) unit *= 10;
  return Math.ceil(value / unit) * unit;
}
