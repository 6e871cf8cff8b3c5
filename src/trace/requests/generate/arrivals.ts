import type { RandomStream } from "../../../core/random.ts";
import { type StagedArrivals, stagedArrivals, stageTotals } from "./staged-arrivals.ts";

/** How requests arrive. Rates are long-run means, requests per second. */
export type ArrivalSpec =
  | { readonly kind: "constant"; readonly ratePerSecond: number }
  | { readonly kind: "poisson"; readonly ratePerSecond: number }
  | GammaArrivals
  | OnOffArrivals
  | StagedArrivals;

/**
 * Gamma inter-arrival times as in `vllm bench serve --burstiness`: the burstiness is the shape, so 1 is Poisson, less
 * is burstier; the coefficient of variation is 1 / sqrt(burstiness).
 */
interface GammaArrivals {
  readonly kind: "gamma";
  readonly ratePerSecond: number;
  readonly burstiness: number;
}

/**
 * Poisson arrivals whose rate switches between two values; both phases last an exponential time (a two-state Markov
 * modulated Poisson process). Mean rate: (onRate onMean + offRate offMean) / (onMean + offMean).
 */
interface OnOffArrivals {
  readonly kind: "onOff";
  readonly onRatePerSecond: number;
  readonly offRatePerSecond: number;
  readonly onMeanSeconds: number;
  readonly offMeanSeconds: number;
}

/** Time of the next arrival, seconds from the start; never earlier than the one before, Infinity where there is none. */
type NextArrival = () => number;

/** Arrivals of a spec, drawn from the stream. */
export function arrivalsOf(spec: ArrivalSpec, rng: RandomStream): NextArrival {
  switch (spec.kind) {
    case "constant":
      return constant(spec.ratePerSecond);
    case "poisson":
      return renewal(() => rng.exponential(1 / spec.ratePerSecond));
    case "gamma":
      return renewal(() => rng.gamma(spec.burstiness, 1 / (spec.ratePerSecond * spec.burstiness)));
    case "onOff":
      return onOff(spec, rng);
    case "stages":
      return stagedArrivals(spec, rng);
  }
}

/** Long-run arrivals per second; of stages, over all of them. */
export function meanRatePerSecond(spec: ArrivalSpec): number {
  if (spec.kind === "stages") {
    const { arrivals, seconds } = stageTotals(spec.stages);
    return arrivals / seconds;
  }
  if (spec.kind !== "onOff") return spec.ratePerSecond;
  const cycle = spec.onMeanSeconds + spec.offMeanSeconds;
  return (spec.onRatePerSecond * spec.onMeanSeconds + spec.offRatePerSecond * spec.offMeanSeconds) / cycle;
}

/** Multiples of the interval from 0 on; computed by index, so that no rounding adds up. */
function constant(ratePerSecond: number): NextArrival {
  let index = -1;
  return () => {
    index += 1;
    return index / ratePerSecond;
  };
}

function renewal(gapSeconds: () => number): NextArrival {
  let now = 0;
  return () => {
    now += gapSeconds();
    return now;
  };
}

/** Starts in either phase with its long-run probability, so that the rate is the mean rate from the start. */
function onOff(spec: OnOffArrivals, rng: RandomStream): NextArrival {
  const [phases, gaps] = [rng.fork("phases"), rng.fork("gaps")];
  const cycle = spec.onMeanSeconds + spec.offMeanSeconds;
  let on = phases.uniform() < spec.onMeanSeconds / cycle;
  const phase = (): number => phases.exponential(on ? spec.onMeanSeconds : spec.offMeanSeconds);
  let now = 0;
  let phaseEnd = phase();
  return () => {
    for (;;) {
      const rate = on ? spec.onRatePerSecond : spec.offRatePerSecond;
      const next = rate > 0 ? now + gaps.exponential(1 / rate) : Number.POSITIVE_INFINITY;
      if (next <= phaseEnd) {
        now = next;
        return now;
      }
      now = phaseEnd; // the rest of the gap is drawn anew: exponential times have no memory
      on = !on;
      phaseEnd += phase();
    }
  };
}
