import type { RunResult } from "../sim/result.ts";
import type { Figures } from "./figures.ts";
import type { RequestLimits } from "./goodput.ts";

/** Units of figures. */
export type MetricUnit =
  | "ms"
  | "tok/s"
  | "req/s"
  | "share"
  | "USD/Mtok"
  | "J/tok"
  | "requests"
  | "tokens"
  | "experts"
  | "ratio"
  | "maps"
  | "B"
  | "flag";

/** Ways to condense the samples of a metric into one number. An SLO compares that number. */
export type SloAggregation =
  | { readonly kind: "percentile"; readonly percent: number }
  | { readonly kind: "mean" | "min" | "max" | "rate" | "value" };

/** The form of SLOs on a metric. */
export interface SloForm {
  /** Unit of limits: durations and rates carry theirs, ratios may be percentages, the rest are bare numbers. */
  readonly dimension: "duration" | "rate" | "ratio" | "number";
  readonly aggregations: readonly SloAggregation["kind"][];
  /** Whether `{class:NAME}` can narrow it. */
  readonly byClass: boolean;
  /** What the aggregations give, where that is not plain: the end of the definition. */
  readonly aggregated?: string;
}

/** Aggregations of a metric that is one number per run. */
export type ScalarKind = "rate" | "value" | "max";

/** One number of a run: null where there is none, with the reason. */
export interface Scalar {
  readonly value: number | null;
  /** Samples that the number stands on; 0 fails every SLO. */
  readonly samples: number;
  readonly reason?: string;
}

/** What SLOs are judged by: the figures of the result, and the run for what those leave out. */
export interface JudgedRun {
  readonly run: RunResult;
  readonly figures: Figures;
  readonly limits: RequestLimits | null;
  /** Why there is no cost, where there is none. */
  readonly noCost: string;
}

/** An SLO on a metric that is one number per run. */
export interface ScalarSlo extends SloForm {
  readonly aggregations: readonly ScalarKind[];
  /** The number to judge, where it is not the figure over all steps of the run. */
  readonly judged?: (judged: JudgedRun, kind: ScalarKind, requestClass: string | null) => Scalar;
}

/** A figure of a forecast that is one number, declared once. Its name is its key in the table. */
export interface Metric {
  /** In words, as advice and reports name it: `output tokens/s`. */
  readonly label: string;
  /** Name of its row in exported tables. */
  readonly row: string;
  readonly unit: MetricUnit;
  /** null where more is neither better nor worse. */
  readonly better: "lower" | "higher" | null;
  readonly definition: string;
  /** The word that reports explain by the definition. Absent where the label explains the figure. */
  readonly term?: string;
  readonly of: (figures: Figures) => number | null;
  /** Where SLOs can name it. */
  readonly slo?: ScalarSlo;
  /**
   * Present where getting worse than a baseline is a regression. `sections`: the figure of equal parts of the run, for
   * the interval of the difference; null where these are not kept.
   */
  readonly regression?: { readonly sections: (figures: Figures) => readonly number[] | null };
}
