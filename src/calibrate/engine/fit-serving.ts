import { solveCholesky } from "../../core/cholesky.ts";
import { figureSlopes } from "./figure-slopes.ts";
import type { LoopSample } from "./fit-factors.ts";
import { type FigureName, figureNames, figurePriors } from "./serving-figures.ts";

/** A measured closed loop. Points of one series are not independent: long series weigh less per point. */
export interface ServingSample extends LoopSample {
  readonly engine: string;
  /** As the measurement writes it. */
  readonly version: string;
}

/** One unknown of the fit: the common logarithm of a figure, or what an engine adds to it. */
interface Effect {
  readonly figure: number;
  readonly engine: string | null;
  readonly mean: number;
  readonly sigma: number;
}

/** Logarithms of the fitted figures by engine; `common` serves engines that no sample names. */
export interface FittedServing {
  readonly engines: ReadonlyMap<string, Float64Array>;
  readonly common: Float64Array;
}

/** Scale of ln(forecast / measured) that no parameter explains. */
const noise = 0.1;
const iterations = 12;

/**
 * Maximum a posteriori figures of all engines at once: Gauss-Newton on ln TPOT under the Cauchy loss, to which a
 * series far off (unstated speculative decoding) says little; each figure is a common value
 * plus a deviation per engine, both under the priors of {@link figurePriors}. Few samples leave the priors in force.
 */
export function fitServing(samples: readonly ServingSample[]): FittedServing {
  const engines = [...new Set(samples.map((sample) => sample.engine))].sort();
  const effects = effectsOf(engines);
  const values = Float64Array.from(effects, (effect) => effect.mean);
  const applying = (engine: string | null) =>
    effects.flatMap((effect, index) => (effect.engine === null || effect.engine === engine ? [index] : []));
  const indices = new Map(engines.map((engine) => [engine, applying(engine)]));
  const logsOf = (engine: string | null) => {
    const logs = new Float64Array(figureNames.length);
    for (const index of engine === null ? applying(null) : (indices.get(engine) ?? applying(null)))
      logs[effects[index]!.figure]! += values[index]!;
    return logs;
  };
  const n = effects.length;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const a = new Float64Array(n * n);
    const b = new Float64Array(n);
    const logsByEngine = new Map(engines.map((engine) => [engine, logsOf(engine)]));
    for (const sample of samples)
      addSample(sample, logsByEngine.get(sample.engine)!, indices.get(sample.engine)!, effects, a, b);
    for (const [index, effect] of effects.entries()) {
      const precision = 1 / (effect.sigma * effect.sigma);
      a[index * n + index]! += precision;
      b[index]! += (effect.mean - values[index]!) * precision;
    }
    solveCholesky(a, b);
    for (let i = 0; i < n; i++) values[i]! += Math.max(-0.5, Math.min(0.5, b[i]!));
  }
  return {
    engines: new Map(engines.map((engine) => [engine, logsOf(engine)])),
    common: logsOf(null),
  };
}

function effectsOf(engines: readonly string[]): Effect[] {
  return figureNames.flatMap((name: FigureName, figure) => {
    const { value, sigma, engineSigma } = figurePriors[name];
    return [
      { figure, engine: null, mean: Math.log(value), sigma },
      ...engines.map((engine) => ({ figure, engine, mean: 0, sigma: engineSigma })),
    ];
  });
}

/** Adds a sample's share of the normal equations (lower triangle). */
function addSample(
  { loop, tpotNs, weight }: ServingSample,
  logs: Float64Array,
  applying: readonly number[],
  effects: readonly Effect[],
  a: Float64Array,
  b: Float64Array,
): void {
  const n = b.length;
  const forecast = figureSlopes(loop, logs);
  const residual = Math.log(forecast.ns / tpotNs);
  const { slopes } = forecast;
  const scale = weight / (noise * noise + residual * residual);
  for (const i of applying) {
    const slope = slopes[effects[i]!.figure]!;
    b[i]! -= scale * slope * residual;
    for (const j of applying) if (j <= i) a[i * n + j]! += scale * slope * slopes[effects[j]!.figure]!;
  }
}
