import { solveCholesky } from "./cholesky.ts";
import { figureSlopes } from "./figure-slopes.ts";
import type { ServingSample } from "./fit-serving.ts";
import { type FigureName, figureIndex } from "./serving-figures.ts";

const iterations = 12;

/** What may differ between two deployments of one engine, as factors on groups of its figures, and how far. */
const deploymentFactors: readonly { readonly figures: readonly FigureName[]; readonly sigma: number }[] = [
  { figures: ["kernelFactor", "prefillFactor"], sigma: 0.12 },
  { figures: ["kernelOverheadNs", "stepOverheadNs"], sigma: 0.25 },
  { figures: ["sequenceOverheadNs"], sigma: 0.4 },
  { figures: ["prefillFactor", "prefillStepOverheadNs"], sigma: 0.25 },
  { figures: ["collectiveFactor"], sigma: 0.2 },
];
/** Repeats of one measurement differ by 1 % at the median and 8 % at the 90th percentile. */
const observationNoise = 0.03;

/**
 * An engine's figures adjusted to measured points of one deployment: a few factors, each within its prior, most likely
 * given the points. One point mostly moves what the deployment spends most time on.
 */
export function observeServing(
  figures: Float64Array,
  observed: readonly Omit<ServingSample, "engine">[],
): Float64Array {
  const effects = deploymentFactors.flatMap(({ figures: names, sigma }, factor) =>
    names.map((name) => ({ figure: figureIndex[name], factor, sigma })),
  );
  const n = deploymentFactors.length;
  const values = new Float64Array(n);
  const logs = Float64Array.from(figures);
  for (let iteration = 0; iteration < iterations; iteration++) {
    logs.set(figures);
    for (const { figure, factor } of effects) logs[figure]! += values[factor]!;
    const a = new Float64Array(n * n);
    const b = new Float64Array(n);
    for (const { loop, tpotNs, weight } of observed) {
      const forecast = figureSlopes(loop, logs);
      const residual = Math.log(forecast.tpotNs / tpotNs);
      const slope = new Float64Array(n);
      for (const { figure, factor } of effects) slope[factor]! += forecast.slopes[figure]!;
      const scale = weight / (observationNoise * observationNoise);
      for (let i = 0; i < n; i++) {
        b[i]! -= scale * slope[i]! * residual;
        for (let j = 0; j <= i; j++) a[i * n + j]! += scale * slope[i]! * slope[j]!;
      }
    }
    for (const [factor, { sigma }] of deploymentFactors.entries()) {
      a[factor * n + factor]! += 1 / (sigma * sigma);
      b[factor]! -= values[factor]! / (sigma * sigma);
    }
    solveCholesky(a, b);
    for (let i = 0; i < n; i++) values[i]! += Math.max(-0.5, Math.min(0.5, b[i]!));
  }
  logs.set(figures);
  for (const { figure, factor } of effects) logs[figure]! += values[factor]!;
  return logs;
}
