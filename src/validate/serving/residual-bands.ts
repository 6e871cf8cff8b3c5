import { quantile } from "../../core/quantile.ts";

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
 * The scales of the setups of residuals. The scale is that of `basis` without the residual's own part, as a deployment that
 * is forecast has no share in the scale of its setup either; 1 where nothing else of the setup is known.
 */
export function unseenScales(residuals: readonly Residual[], basis: readonly Residual[]): number[] {
  const all = medianSize(basis);
  const setups = residualsBy(basis, ({ setup }) => setup);
  const scales = new Map<string, number>();
  return residuals.map(({ setup, part }) => {
    const key = JSON.stringify([setup, part]);
    let scale = scales.get(key);
    if (scale === undefined) {
      const others = setups.get(setup)?.filter((other) => other.part !== part) ?? [];
      scale = scaleOf(others, all);
      scales.set(key, scale);
    }
    return scale;
  });
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

/** Residuals by a key, in order of first appearance. */
export function residualsBy<R extends Residual>(
  residuals: readonly R[],
  keyOf: (residual: R) => string,
): Map<string, R[]> {
  const found = new Map<string, R[]>();
  for (const residual of residuals) {
    const key = keyOf(residual);
    const members = found.get(key);
    if (members === undefined) found.set(key, [residual]);
    else members.push(residual);
  }
  return found;
}
