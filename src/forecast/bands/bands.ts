import { relativesOf } from "../../hardware/architectures.ts";
import { scaledBand } from "./band.ts";
import {
  type BandClass,
  type ErrorBandTable,
  errorBandTable,
  type LatencyBands,
  type ValidatedSetup,
} from "./error-band-table.ts";
import type { SetupKey } from "./nearest-setup.ts";

/** A deployment that is forecast. */
export interface BandQuery extends SetupKey {
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
}

/** Far from anything validated the band of left-out setups is widened by this factor in log space. */
const farScale = 1.5;

/**
 * Error bands of a deployment. Those of a model, device and engine with measured points are made of forecasts of
 * deployments (engine version, precision, layout) that the fit had not seen, or of series with one point given where it
 * was `observed`, scaled to the setup. Where the engine was measured on the device or a relative of it they are those of
 * left-out setups, unscaled; with points given, those of observed series. Otherwise, and with features that no
 * measurement had, the same widened by 1.5 in log space.
 */
export function bandsFor(query: BandQuery, table: ErrorBandTable = errorBandTable): ErrorBands {
  const { nominal } = table;
  const like = query.unvalidated.length > 0 ? [] : table.setups.filter((setup) => sharesKernels(query, setup));
  if (like.length === 0) {
    const wide = { tpotScale: farScale, ttftScale: farScale };
    const bands = classBands(query.observed ? "observed" : "elsewhere", wide, table);
    return { nominal, basis: query.observed ? "observed" : "far", ...bands };
  }
  const own = like.find(({ model, device }) => model === query.model && device === query.device);
  const basis = query.observed ? "observed" : own === undefined ? "elsewhere" : "validated";
  return { nominal, basis, ...classBands(basis, own ?? unscaled, table) };
}

/** The relation of a left-out setup to those its fit had seen: the same engine on a device of the architecture. */
const sharesKernels = (from: SetupKey, to: SetupKey): boolean =>
  from.engine === to.engine && (from.device === to.device || relativesOf(from.device).includes(to.device));

type Scales = Pick<ValidatedSetup, "tpotScale" | "ttftScale">;
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
