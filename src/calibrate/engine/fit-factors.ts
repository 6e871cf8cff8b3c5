import { solveCholesky } from "../../core/cholesky.ts";
import { type ClosedLoop, closedLoopTpotNs, closedLoopTtftNs } from "./closed-loop.ts";
import { figureSlopes } from "./figure-slopes.ts";
import { type FigureName, figureIndex } from "./serving-figures.ts";

/** A factor on a group of figures that move together, and the standard deviation of its logarithm. */
export interface FigureFactor {
  readonly figures: readonly FigureName[];
  readonly sigma: number;
  /** The part beside the figures that it acts on too. */
  readonly part?: LoopPart;
}

/** Parts of a time that none of the fitted figures scales: waits for experts, the handling of the request. */
export type LoopPart = "fetches" | "handling";

/** A time of a closed loop as it was measured, and the parts in it that have factors of their own, at factors of 1. */
export interface LoopTime extends Partial<Readonly<Record<LoopPart, number>>> {
  readonly ns: number;
}

/** A measured closed loop, whatever engine it came from. */
export interface LoopSample {
  readonly loop: ClosedLoop;
  readonly tpotNs: number;
  readonly weight: number;
  /** Wait for experts in the TPOT. Absent: none. */
  readonly fetches?: number;
  /** Absent where it is not stated, or says nothing of the figures. */
  readonly ttft?: LoopTime;
}

/** How far measured times are trusted. */
export interface Trust {
  /** Scatter of ln(forecast / measured) that no factor explains. */
  readonly noise: number;
  /** Size of a residual from which on it counts less than its square. */
  readonly robustFrom: number;
}

/** Trust in TPOTs; that in TTFTs is the same if absent. */
export interface FactorFitOptions extends Trust {
  readonly ttft?: Trust;
  /** Standard deviations that a factor on figures may be moved by at most. Absent: any. */
  readonly sigmasMax?: number;
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
  trust: FactorFitOptions,
): Float64Array {
  const { sigmasMax = Number.POSITIVE_INFINITY } = trust;
  const n = factors.length;
  const values = new Float64Array(n);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const logs = withFactors(figures, factors, values);
    const a = new Float64Array(n * n);
    const b = new Float64Array(n);
    const add = (forecast: FactorSlopes, ns: number, weight: number, { noise, robustFrom }: Trust) => {
      const { slopes } = forecast;
      const residual = Math.log(forecast.ns / ns);
      const robust = Math.min(1, robustFrom / Math.max(1e-12, Math.abs(residual)));
      const scale = (weight * robust) / (noise * noise);
      for (let i = 0; i < n; i++) {
        b[i]! -= scale * slopes[i]! * residual;
        for (let j = 0; j <= i; j++) a[i * n + j]! += scale * slopes[i]! * slopes[j]!;
      }
    };
    for (const { loop, tpotNs, weight, fetches = 0, ttft } of samples) {
      const slopesOf = (timeNs: typeof closedLoopTpotNs, parts: Omit<LoopTime, "ns">) =>
        factorSlopes(figureSlopes(loop, logs, timeNs), parts, factors, values);
      add(slopesOf(closedLoopTpotNs, { fetches }), tpotNs, weight, trust);
      if (ttft !== undefined) add(slopesOf(closedLoopTtftNs, ttft), ttft.ns, weight, trust.ttft ?? trust);
    }
    for (const [i, { sigma }] of factors.entries()) {
      a[i * n + i]! += 1 / (sigma * sigma);
      b[i]! -= values[i]! / (sigma * sigma);
    }
    solveCholesky(a, b);
    for (let i = 0; i < n; i++) values[i]! += Math.max(-0.5, Math.min(0.5, b[i]!));
    for (const [i, { sigma, part }] of factors.entries()) {
      const most = part === undefined ? sigmasMax * sigma : Number.POSITIVE_INFINITY;
      values[i] = Math.max(-most, Math.min(most, values[i]!));
    }
  }
  return values;
}

interface FactorSlopes {
  readonly ns: number;
  /** [factors] d ln ns / d ln factor */
  readonly slopes: Float64Array;
}

/** A time with the parts beside it, and how it moves with factors of the given values. */
function factorSlopes(
  computed: ReturnType<typeof figureSlopes>,
  parts: Omit<LoopTime, "ns">,
  factors: readonly FigureFactor[],
  values: Float64Array,
): FactorSlopes {
  const partNs = (part: LoopPart) => (parts[part] ?? 0) * partFactor(part, factors, values);
  const ns = computed.ns + partNs("fetches") + partNs("handling");
  const slopes = Float64Array.from(factors, ({ figures, part }) =>
    figures.reduce(
      (sum, name) => sum + (computed.slopes[figureIndex[name]]! * computed.ns) / ns,
      part === undefined ? 0 : partNs(part) / ns,
    ),
  );
  return { ns, slopes };
}

/** What the factors (logarithms) come to on a part beside the figures. */
export function partFactor(part: LoopPart, factors: readonly FigureFactor[], values: Float64Array): number {
  return Math.exp(factors.reduce((sum, factor, i) => (factor.part === part ? sum + values[i]! : sum), 0));
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
