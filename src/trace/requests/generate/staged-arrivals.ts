import type { RandomStream } from "../../../core/random.ts";

/** A part of the arrivals: at one rate, or at a rate that goes linearly to another. Rates per second. */
export interface Stage {
  readonly ratePerSecond: number;
  /** Rate at the end of the stage; without it the rate does not change. */
  readonly toRatePerSecond?: number;
  readonly seconds: number;
}

/**
 * Arrivals whose rate changes in stages, one after the other, as load generators step and ramp it (inference-perf, k6).
 * They end with the last stage.
 */
export interface StagedArrivals {
  readonly kind: "stages";
  /** Poisson arrivals of the changing rate, or as even as it allows: the n-th when n arrivals were due. */
  readonly process: "poisson" | "constant";
  readonly stages: readonly Stage[];
}

/** Arrivals that are due over a stage: its mean rate times its length. */
const dueIn = ({ ratePerSecond, toRatePerSecond = ratePerSecond, seconds }: Stage): number =>
  ((ratePerSecond + toRatePerSecond) / 2) * seconds;

/** Arrivals that are due over all stages, and how long they last. */
export function stageTotals(stages: readonly Stage[]): { readonly arrivals: number; readonly seconds: number } {
  return {
    arrivals: stages.reduce((sum, stage) => sum + dueIn(stage), 0),
    seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

/**
 * Time of the next arrival, seconds from the start; Infinity after the last stage. Arrivals of rate 1 are stretched so that
 * as many are due by each time as the stages say: another rate moves arrivals and draws nothing anew.
 */
export function stagedArrivals({ process, stages }: StagedArrivals, rng: RandomStream): () => number {
  let due = process === "poisson" ? 0 : -1;
  let stage = 0;
  /** Arrivals due, and seconds gone, before the current stage. */
  let dueBefore = 0;
  let secondsBefore = 0;
  return () => {
    due += process === "poisson" ? rng.exponential(1) : 1;
    for (; stage < stages.length; stage += 1) {
      const current = stages[stage]!;
      const dueHere = dueIn(current);
      // What is due at the very end of a stage arrives in the next one that has arrivals.
      if (due - dueBefore < dueHere) return secondsBefore + secondsUntil(due - dueBefore, current);
      dueBefore += dueHere;
      secondsBefore += current.seconds;
    }
    return Number.POSITIVE_INFINITY;
  };
}

/** When so many arrivals of a stage are due, seconds from its start: rate t + slope t^2 / 2 solved for t. */
function secondsUntil(due: number, { ratePerSecond, toRatePerSecond = ratePerSecond, seconds }: Stage): number {
  const slope = (toRatePerSecond - ratePerSecond) / seconds;
  // Written so that neither a slope of 0 nor a rate of 0 divides by 0 or cancels; due is 0 only at the start.
  const root = Math.sqrt(Math.max(0, ratePerSecond * ratePerSecond + 2 * slope * due));
  return due === 0 ? 0 : Math.min(seconds, (2 * due) / (ratePerSecond + root));
}
