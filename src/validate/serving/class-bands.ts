import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { type Band, bandAround, scaledBand } from "../../forecast/bands/band.ts";
import { type BandClass, type LatencyBands, nearerClasses } from "../../forecast/bands/error-band-table.ts";
import { groupBand } from "./group-band.ts";
import { leftOutKeys } from "./leave-out.ts";
import { setupOf } from "./point-bands.ts";
import { type Residual, unseenScales } from "./residual-bands.ts";
import type { PointError } from "./validation.ts";

export type Latency = keyof LatencyBands;
export const bandedLatencies = ["tpot", "ttft"] as const satisfies readonly Latency[];

/** What is left out together in a class. */
const partOf: Readonly<Record<BandClass, (point: ServingPoint) => string>> = {
  validated: leftOutKeys.deployment,
  setup: leftOutKeys.setup,
  system: leftOutKeys.system,
  model: leftOutKeys.model,
  engine: leftOutKeys.engine,
  several: leftOutKeys.near,
  observed: leftOutKeys.deployment,
  observedFar: leftOutKeys.near,
};

/** Classes in which the setup of a deployment is known, and with it how large its errors are. */
const ofKnownSetup: ReadonlySet<BandClass> = new Set(["validated", "observed"]);

/** How far one left-out forecast was off, relative to the scale of its setup in classes that know it. */
export interface PointResidual extends Residual {
  readonly point: ServingPoint;
  readonly scale: number;
}

/** Residuals of a class: TPOT of all points; TTFT below saturation, where it is not the load generator's queue. */
export function residualsOf(errors: readonly PointError[], of: BandClass, latency: Latency): PointResidual[] {
  return errors.flatMap((error): PointResidual[] => {
    const { point, saturated, [latency]: metric } = error;
    const setup = setupOf(point);
    if (setup === null || metric === null || (latency === "ttft" && saturated)) return [];
    const { model, device, engine } = setup;
    const log = Math.log(metric.measuredMs / metric.predictedMs);
    return [{ point, setup: [model, device, engine].join("|"), part: partOf[of](point), log, scale: 1 }];
  });
}

/** Residuals relative to the scale of their setup, where the class knows setups; `basis` are those of `validated`. */
export function inScale(
  of: BandClass,
  residuals: readonly PointResidual[],
  basis: readonly Residual[],
): PointResidual[] {
  if (!ofKnownSetup.has(of)) return [...residuals];
  const scales = unseenScales(residuals, basis);
  return residuals.map((residual, i) => ({ ...residual, log: residual.log / scales[i]!, scale: scales[i]! }));
}

/** Residuals of the classes that there are. */
export type ClassResiduals = Readonly<Partial<Record<BandClass, readonly PointResidual[]>>>;

/** The band of a class from the residuals that are `seen`: around that of its own residuals and those of nearer classes. */
export function classBand(
  of: BandClass,
  residuals: ClassResiduals,
  nominal: number,
  seen: (residual: PointResidual) => boolean = () => true,
): Band {
  const bands = [of, ...nearerClasses[of]].flatMap((one): Band[] => {
    const own = residuals[one]?.filter(seen) ?? [];
    return own.length === 0 ? [] : [groupBand(own, nominal)];
  });
  return bandAround(bands);
}

/** Fewer residuals than this say nothing of their outer tenths. */
export const residualsMin = 20;

/**
 * For every residual of a class the band that is made without its part, in the scale of its setup; null where other parts
 * have too few residuals.
 */
export function nestedBands(of: BandClass, residuals: ClassResiduals, nominal: number): (Band | null)[] {
  const own = residuals[of] ?? [];
  const bands = new Map<string, Band | null>();
  for (const { part } of own) {
    if (bands.has(part)) continue;
    const enough = own.filter((other) => other.part !== part).length >= residualsMin;
    bands.set(part, enough ? classBand(of, residuals, nominal, ({ point }) => partOf[of](point) !== part) : null);
  }
  return own.map(({ part, scale }) => {
    const band = bands.get(part) ?? null;
    return band === null ? null : scaledBand(band, scale);
  });
}

/** How many residuals lay in the band that was made without them. */
export interface Coverage {
  readonly points: number;
  readonly inside: number;
  /** Mean over parts of the share inside. */
  readonly meanOfParts: number;
  readonly parts: number;
}

/** Coverage of a class, each part held against a band made without it. */
export function nestedCoverage(of: BandClass, residuals: ClassResiduals, nominal: number): Coverage {
  const own = residuals[of] ?? [];
  const parts = new Map<string, { points: number; inside: number }>();
  for (const [i, band] of nestedBands(of, residuals, nominal).entries()) {
    if (band === null) continue;
    const { part, log, scale } = own[i]!;
    const counted = parts.get(part) ?? { points: 0, inside: 0 };
    parts.set(part, counted);
    const ratio = Math.exp(log * scale);
    counted.points += 1;
    if (band[0] <= ratio && ratio <= band[1]) counted.inside += 1;
  }
  const counts = [...parts.values()];
  const shares = counts.map(({ points, inside }) => inside / points).sort((a, b) => a - b);
  return {
    points: counts.reduce((sum, { points }) => sum + points, 0),
    inside: counts.reduce((sum, { inside }) => sum + inside, 0),
    meanOfParts: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    parts: shares.length,
  };
}
