import type { PointPrediction } from "../engine/predict-point.ts";

/** A measured TTFT, and the simulation of its load by an engine that spends no time on handling requests. */
export interface ObservedTtft {
  readonly measuredMs: number;
  readonly simulated: Pick<PointPrediction, "ttftMs" | "saturated">;
}

/**
 * What observed TTFTs leave for the handling of a request once its prefill is simulated, ns: of the single remainders the
 * one with the least mean |ln ratio| over all. Queueing says nothing about it: `otherwise` where no load is below
 * saturation.
 */
export function requestOverheadNs(observed: readonly ObservedTtft[], otherwise: number): number {
  const below = observed.filter(({ simulated }) => !simulated.saturated);
  let best = otherwise;
  let least = Number.POSITIVE_INFINITY;
  for (const { measuredMs, simulated } of below) {
    const handlingMs = Math.max(0, measuredMs - simulated.ttftMs);
    const loss = below.reduce(
      (sum, other) => sum + Math.abs(Math.log((other.simulated.ttftMs + handlingMs) / other.measuredMs)),
      0,
    );
    if (loss >= least) continue;
    least = loss;
    best = handlingMs * 1e6;
  }
  return best;
}
