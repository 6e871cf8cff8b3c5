import { type FigureFactor, fitFactors, type LoopSample, withFactors } from "../engine/fit-factors.ts";

/** What may differ between two deployments of one engine, as factors on groups of its figures, and how far. */
const deploymentFactors: readonly FigureFactor[] = [
  { figures: ["kernelFactor", "prefillFactor"], sigma: 0.12 },
  { figures: ["kernelOverheadNs", "stepOverheadNs"], sigma: 0.25 },
  { figures: ["sequenceOverheadNs"], sigma: 0.4 },
  { figures: ["prefillFactor", "prefillStepOverheadNs"], sigma: 0.25 },
  { figures: ["collectiveFactor"], sigma: 0.2 },
];
/** Repeats of one measurement differ by 1 % at the median and 8 % at the 90th percentile; observations are trusted. */
const observation = { noise: 0.03, robustFrom: Number.POSITIVE_INFINITY };

/**
 * An engine's figures adjusted to measured points of one deployment: a few factors, each within its prior, most likely
 * given the points. One point mostly moves what the deployment spends most time on.
 */
export function observeServing(figures: Float64Array, observed: readonly LoopSample[]): Float64Array {
  return withFactors(figures, deploymentFactors, fitFactors(figures, observed, deploymentFactors, observation));
}
