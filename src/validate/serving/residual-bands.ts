import { quantile, quantiles } from "../../core/quantile.ts";
import type { Band } from "../../forecast/bands/band.ts";

/** How far one left-out forecast was off. */
export interface Residual {
  /** Points whose errors are of one size: model, device and engine. */
  readonly setup: string;
  /** What was left out together: a band that judges these residuals must not be made of them. */
  readonly part: string;
  /** ln(measured / forecast). */
  readonly log: number;
}

/** Factor on a setup's band in log space, by setup. */
export type SetupScales = ReadonlyMap<string, number>;

/**
 * A setup's own median counts as much as that of all setups once it has this many parts: errors within a part are much
 * alike, so that its points are no independent evidence.
 */
const ownParts = 5;

/**
 * The band that holds the share `nominal` of residuals, cut off evenly at both ends (type-7 quantiles). Independent of
 * their order. NaN without residuals.
 */
export function bandOf(residuals: readonly Residual[], nominal: number): Band {
  const logs = Float64Array.from(residuals, ({ log }) => log);
  const [low = Number.NaN, high = Number.NaN] = quantiles(logs, [(1 - nominal) / 2, (1 + nominal) / 2]);
  return [Math.exp(low), Math.exp(high)];
}

/**
 * Size of the errors of each setup relative to all: with medians of |log| m_s of its n parts and m of all residuals,
 * (n m_s + k m) / (n + k) / m. A setup of few parts keeps a scale near 1.
 */
export function setupScales(residuals: readonly Residual[]): SetupScales {
  const all = medianSize(residuals);
  return new Map(
    Array.from(
      residualsBy(residuals, ({ setup }) => setup),
      ([setup, own]) => [setup, scaleOf(own, all)] as const,
    ),
  );
}

/**
 * Residuals relative to the scale of their setup. The scale is that of `basis` without the residual's own part, as a
 * deployment that is forecast has no share in the scale of its setup either; 1 where nothing else of the setup is known.
 */
export function relativeResiduals(residuals: readonly Residual[], basis: readonly Residual[]): Residual[] {
  const all = medianSize(basis);
  const setups = residualsBy(basis, ({ setup }) => setup);
  const scales = new Map<string, number>();
  return residuals.map((residual) => {
    const { setup, part } = residual;
    const key = JSON.stringify([setup, part]);
    let scale = scales.get(key);
    if (scale === undefined) {
      const others = setups.get(setup)?.filter((other) => other.part !== part) ?? [];
      scale = scaleOf(others, all);
      scales.set(key, scale);
    }
    return { ...residual, log: residual.log / scale };
  });
}

/** How many residuals a band held that was made without those of their part. */
export interface Coverage {
  readonly points: number;
  readonly inside: number;
}

/** Coverage by cross-fitting: each part is judged by the band of all other parts. A part without others is not judged. */
export function crossFittedCoverage(residuals: readonly Residual[], nominal: number): Coverage {
  let points = 0;
  let inside = 0;
  for (const [part, own] of residualsBy(residuals, (residual) => residual.part)) {
    const others = residuals.filter((residual) => residual.part !== part);
    if (others.length === 0) continue;
    const [low, high] = bandOf(others, nominal);
    points += own.length;
    inside += own.filter(({ log }) => low <= Math.exp(log) && Math.exp(log) <= high).length;
  }
  return { points, inside };
}

/** Steps in which the share of residuals in a band is raised, and the largest share. */
const shareStep = 0.005;
const shareMax = 0.99;

/**
 * The share of residuals that a band has to hold for `nominal` of what is yet to be seen to lie in it: at least `nominal`,
 * raised until the mean of that share and of the cross-fitted coverage reaches it. Residuals that made a band lie in it
 * more often than others; parts that are judged without their own residuals, by bands of fewer parts, less often.
 */
export function calibratedShare(residuals: readonly Residual[], nominal: number): number {
  for (let step = 0; nominal + step * shareStep < shareMax; step += 1) {
    const share = nominal + step * shareStep;
    const { points, inside } = crossFittedCoverage(residuals, share);
    if (points === 0 || (share + inside / points) / 2 >= nominal - 1e-9) return share;
  }
  return shareMax;
}

/** The scale of a setup whose residuals are `own`, where the median size of all is `all`. */
function scaleOf(own: readonly Residual[], all: number): number {
  if (own.length === 0 || !(all > 0)) return 1;
  const parts = new Set(own.map(({ part }) => part)).size;
  return (parts * medianSize(own) + ownParts * all) / (parts + ownParts) / all;
}

const medianSize = (residuals: readonly Residual[]): number =>
  quantile(
    Float64Array.from(residuals, ({ log }) => Math.abs(log)),
    0.5,
  );

function residualsBy(residuals: readonly Residual[], keyOf: (residual: Residual) => string): Map<string, Residual[]> {
  const found = new Map<string, Residual[]>();
  for (const residual of residuals) {
    const key = keyOf(residual);
    const members = found.get(key);
    if (members === undefined) found.set(key, [residual]);
    else members.push(residual);
  }
  return found;
}
