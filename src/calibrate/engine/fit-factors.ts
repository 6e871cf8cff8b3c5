import { solveCholesky } from "../../core/cholesky.ts";
import type { ClosedLoop } from "./closed-loop.ts";
import { figureSlopes } from "./figure-slopes.ts";
import { type FigureName, figureIndex } from "./serving-figures.ts";

/** A factor on a group of figures that move together, and the standard deviation of its logarithm. */
export interface FigureFactor {
  readonly figures: readonly FigureName[];
  readonly sigma: number;
}

/** A measured closed loop, whatever engine it came from. */
export interface LoopSample {
  readonly loop: ClosedLoop;
  readonly tpotNs: number;
  readonly weight: number;
}

export interface FactorFitOptions {
  /** Scatter of ln(forecast / measured) that no factor explains. */
  readonly noise: number;
  /** Size of a residual from which on it counts less than its square. */
  readonly robustFrom: number;
}

const iterations = 12;

/**
 * Logarithms of the most likely factors on an engine's figures (logarithms, in the order of `figureNames`) given measured
 * loops: robust Gauss-Newton under priors centred on 1. Without samples every factor is 1.
 */
export function fitFactors(
  figures: Float64Array,
  samples: readonly LoopSample[],
  factors: readonly FigureFactor[],
  { noise, robustFrom }: FactorFitOptions,
): Float64Array {
  const n = factors.length;
  const values = new Float64Array(n);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const logs = withFactors(figures, factors, values);
    const a = new Float64Array(n * n);
    const b = new Float64Array(n);
    for (const { loop, tpotNs, weight } of samples) {
      const forecast = figureSlopes(loop, logs);
      const residual = Math.log(forecast.tpotNs / tpotNs);
      const slope = Float64Array.from(factors, (factor) =>
        factor.figures.reduce((sum, name) => sum + forecast.slopes[figureIndex[name]]!, 0),
      );
      const robust = Math.min(1, robustFrom / Math.max(1e-12, Math.abs(residual)));
      const scale = (weight * robust) / (noise * noise);
      for (let i = 0; i < n; i++) {
        b[i]! -= scale * slope[i]! * residual;
        for (let j = 0; j <= i; j++) a[i * n + j]! += scale * slope[i]! * slope[j]!;
      }
    }
    for (const [i, { sigma }] of factors.entries()) {
      a[i * n + i]! += 1 / (sigma * sigma);
      b[i]! -= values[i]! / (sigma * sigma);
    }
    solveCholesky(a, b);
    for (let i = 0; i < n; i++) values[i]! += Math.max(-0.5, Math.min(0.5, b[i]!));
  }
  return values;
}

/** Figures (logarithms) times factors (logarithms). */
export function withFactors(
  figures: Float64Array,
  factors: readonly FigureFactor[],
  values: Float64Array,
): Float64Array {
  const logs = Float64Array.from(figures);
  for (const [i, factor] of factors.entries())
    for (const name of factor.figures) logs[figureIndex[name]]! += values[i]!;
  return logs;
}
