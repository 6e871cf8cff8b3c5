import {
  type BandClass,
  type ErrorBandTable,
  errorBandTable,
  type LatencyBands,
  type ValidatedGroup,
} from "./error-band-table.ts";
import { type GroupKey, groupDistance, nearestGroup } from "./nearest-group.ts";
import { scaledBand } from "./residual-bands.ts";

/** A deployment that is forecast. */
export interface BandQuery extends GroupKey {
  /** Whether its engine was adjusted to measured points of it. */
  readonly observed: boolean;
  /** What it does that no served measurement of the validation did, in words; see `unvalidated-features.ts`. */
  readonly unvalidated: readonly string[];
}

/** What the band of a forecast is derived from: a class of left-out forecasts, or `far` where none is like it. */
export type BandBasis = BandClass | "far";

/** Factors measured / forecast of a deployment. */
export interface ErrorBands extends LatencyBands {
  readonly nominal: number;
  readonly basis: BandBasis;
  /** The validated group it is nearest to; null where it is far from all. */
  readonly nearest: ValidatedGroup | null;
}

/** Far from anything validated the band of left-out groups is widened by this factor in log space. */
const farScale = 1.5;

/**
 * Error bands of a deployment. In a validated group: those of forecasts of deployments (engine version, precision, layout)
 * that the fit had not seen, or of series with one point given where it was `observed`, scaled to the group. Near a group
 * ({@link groupDistance}): those of left-out groups, unscaled; with points given, those of observed series. Otherwise,
 * and with features that no measurement had, the same widened by 1.5 in log space.
 */
export function bandsFor(query: BandQuery, table: ErrorBandTable = errorBandTable): ErrorBands {
  const nearest = query.unvalidated.length > 0 ? null : nearestGroup(query, table.groups);
  const exact = nearest !== null && groupDistance(query, nearest) === 0;
  const { nominal } = table;
  if (nearest === null) {
    const wide = { tpotScale: farScale, ttftScale: farScale };
    const bands = classBands(query.observed ? "observed" : "elsewhere", wide, table);
    return { nominal, basis: query.observed ? "observed" : "far", nearest, ...bands };
  }
  const basis = query.observed ? "observed" : exact ? "validated" : "elsewhere";
  return { nominal, basis, nearest, ...classBands(basis, exact ? nearest : unscaled, table) };
}

type Scales = Pick<ValidatedGroup, "tpotScale" | "ttftScale">;
const unscaled: Scales = { tpotScale: 1, ttftScale: 1 };

/** The bands of a class, widened or narrowed in log space. */
export function classBands(
  of: BandClass,
  { tpotScale, ttftScale }: Scales = unscaled,
  table: ErrorBandTable = errorBandTable,
): LatencyBands {
  const { tpot, ttft } = table.classes[of];
  return { tpot: scaledBand(tpot, tpotScale), ttft: scaledBand(ttft, ttftScale) };
}
