import type { StorageFormat } from "../../core/dtype.ts";
import type { Band } from "./band.ts";
import table from "./error-bands.json" with { type: "json" };

/**
 * What the forecast had seen: other deployments of its model, device and engine (`validated`), none of them
 * (`elsewhere`), or points of the deployment itself (`observed`).
 */
export const bandClasses = ["validated", "elsewhere", "observed"] as const;
export type BandClass = (typeof bandClasses)[number];

/** Bands of the two latencies that were measured: mean TPOT and mean TTFT. */
export interface LatencyBands {
  readonly tpot: Band;
  readonly ttft: Band;
}

/** How a setup was served while it was measured, and the points of it. */
export interface MeasuredDeployment {
  readonly version: string;
  /** Storage format of the expert weights. */
  readonly weights: StorageFormat;
  readonly tp: number;
  readonly dp: number;
  readonly ep: number;
  readonly points: number;
}

/** A model, device and engine with measured points, by their ids, and how far left-out forecasts of them were off. */
export interface ValidatedSetup {
  readonly model: string;
  readonly device: string;
  readonly engine: string;
  readonly points: number;
  /** Medians of 100 |forecast / measured - 1| of deployments the fit had not seen; null without such points. */
  readonly tpotMedianPercent: number | null;
  readonly ttftMedianPercent: number | null;
  /** Factors on the bands of its classes in log space. */
  readonly tpotScale: number;
  readonly ttftScale: number;
  /** By engine version, weight format and layout. */
  readonly deployments: readonly MeasuredDeployment[];
}

/** The committed table: factors measured / forecast of left-out forecasts, and the setups they come from. */
export interface ErrorBandTable {
  /** Share of measured values that each band holds. */
  readonly nominal: number;
  readonly source: string;
  readonly date: string;
  /** Devices of the largest measured deployment. */
  readonly devicesMax: number;
  readonly classes: Readonly<Record<BandClass, LatencyBands>>;
  readonly setups: readonly ValidatedSetup[];
}

/** `scripts/fit-bands.ts` writes it; a list of two numbers is a band. */
export const errorBandTable = table as unknown as ErrorBandTable;
