import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";

/** Version of the validation document; raised on every incompatible change. */
export const validationSchemaVersion = 2;

/** Errors of one metric over a set of points. Percent of the measured value; bias is signed (positive: forecast too slow). */
export interface MetricError {
  readonly points: number;
  readonly meanAbsolutePercent: number | null;
  readonly medianAbsolutePercent: number | null;
  readonly p90AbsolutePercent: number | null;
  readonly biasPercent: number | null;
}

export interface ErrorSummary {
  readonly points: number;
  readonly tpot: MetricError;
  /** All points, queueing included; `ttftUnsaturated` leaves out points whose wait is the load generator's queue. */
  readonly ttft: MetricError;
  readonly ttftUnsaturated: MetricError;
}

export interface SetupError extends ErrorSummary {
  readonly model: string;
  readonly system: string;
  readonly engine: string;
}

/** One quantity, measured and forecast, ms. `lowMs..highMs` is the nominal 80 % band; null where none is known. */
export interface PointMetric {
  readonly measuredMs: number;
  readonly predictedMs: number;
  /** 100 (predicted / measured - 1). */
  readonly errorPercent: number;
  readonly lowMs: number | null;
  readonly highMs: number | null;
}

export interface PointError {
  readonly point: ServingPoint;
  readonly tpot: PointMetric | null;
  readonly ttft: PointMetric | null;
  /** Requests wait for a free slot or KV blocks: the TTFT is queueing. */
  readonly saturated: boolean;
  /** Name of the entry of the fixed list of series that physics does not explain, or null. */
  readonly listedSeries: string | null;
  /** Largest part of the forecast's step time and what is known to be wrong there, for the list of worst points. */
  readonly reason: string;
}

/** Pairs of points of one model and load that differ by more than 10 % in measured TPOT. */
export interface OrderingShare {
  readonly pairs: number;
  readonly correct: number;
  readonly share: number | null;
}

/** How often measured values fell inside the nominal bands. */
export interface BandCoverage {
  readonly nominal: number;
  readonly points: number;
  readonly inside: number;
  readonly share: number | null;
}

/** Result of `moecast validate --serving`: the document printed by `--json`. */
export interface Validation {
  readonly schemaVersion: typeof validationSchemaVersion;
  readonly kind: "validation";
  readonly moecastVersion: string;
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly sha256: string }[];
  /** What the parameters had seen: "committed profiles", or what was left out of the fit behind each forecast. */
  readonly basis: string;
  readonly overall: ErrorSummary;
  /** Without the fixed list of series. */
  readonly withoutListed: ErrorSummary;
  readonly setups: readonly SetupError[];
  readonly ordering: OrderingShare;
  /** The same without the fixed list of series. */
  readonly orderingWithoutListed: OrderingShare;
  readonly bands: { readonly tpot: BandCoverage; readonly ttft: BandCoverage } | null;
  /** The ten largest TPOT errors, worst first. */
  readonly worst: readonly PointError[];
  readonly points: readonly PointError[];
  /** Points that were not forecast, with the reason: does not fit, unknown model or system. */
  readonly skipped: readonly { readonly point: ServingPoint; readonly reason: string }[];
}
