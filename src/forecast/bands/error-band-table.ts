import type { StorageFormat } from "../../core/dtype.ts";
import type { Band } from "./band.ts";
import table from "./error-bands.json" with { type: "json" };

/**
 * What the fit behind a forecast had not seen: the deployment (`validated`: others of its setup it had), the setup of model,
 * device and engine, the model, the system, the engine, or several at once: nothing of its model, its architecture and its
 * engine. `observed` and `observedFar`: one point of the deployment was given, in a setup like those seen, or with
 * nothing else near.
 */
export const bandClasses = [
  "validated",
  "setup",
  "system",
  "model",
  "engine",
  "several",
  "observed",
  "observedFar",
] as const;
export type BandClass = (typeof bandClasses)[number];

/** Classes that are nearer: their bands lie within that of a class, since what is further away is not known better. */
export const nearerClasses: Readonly<Record<BandClass, readonly BandClass[]>> = {
  validated: [],
  setup: ["validated"],
  system: ["validated", "setup"],
  model: ["validated", "setup"],
  engine: ["validated", "setup"],
  several: ["validated", "setup", "system", "model", "engine"],
  observed: [],
  observedFar: ["observed"],
};

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
  /** The longest prompts that were measured, tokens. */
  readonly promptTokensMax: number;
  readonly classes: Readonly<Record<BandClass, LatencyBands>>;
  /** Levels of kinds of kernels on GPUs whose architecture no kernel map had seen. */
  readonly kernelsElsewhere: Band;
  readonly setups: readonly ValidatedSetup[];
}

/** `scripts/fit-bands.ts` writes it; a list of two numbers is a band. */
export const errorBandTable = table as unknown as ErrorBandTable;
