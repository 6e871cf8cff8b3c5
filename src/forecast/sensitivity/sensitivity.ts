import type { KnobName } from "../knobs/knobs.ts";

/** Version of the document; raised on every incompatible change. */
export const sensitivitySchemaVersion = 1;

/** Figures that are watched; latencies in ms, cost in USD per million output tokens. */
export const sensitivityMetrics = {
  outputTokensPerSecond: { label: "output tokens/s", better: "higher" },
  ttftP50: { label: "TTFT p50", better: "lower" },
  ttftP99: { label: "TTFT p99", better: "lower" },
  tpotMean: { label: "TPOT mean", better: "lower" },
  usdPerMillionOutputTokens: { label: "$/Mtok output", better: "lower" },
} as const satisfies Record<string, { readonly label: string; readonly better: "lower" | "higher" }>;
export type SensitivityMetric = keyof typeof sensitivityMetrics;

/** The figures of one run; null where it has none, as latencies of an overloaded one. */
export type SensitivityFigures = Readonly<Record<SensitivityMetric, number | null>>;

/** An input turned down and up, all else as it was. */
export interface InputSensitivity {
  readonly input: KnobName;
  readonly label: string;
  /** With the input at its value times 1 - spread and times 1 + spread; null where there is no such run, and `why`. */
  readonly low: SensitivityFigures | null;
  readonly high: SensitivityFigures | null;
  readonly why: string | null;
  /** [metrics] largest change of each, as a share of the figure without a change; null where there is none. */
  readonly effect: SensitivityFigures;
}

/** Which inputs move a result most, by simulating it again: the data of a tornado chart. */
export interface Sensitivity {
  readonly schemaVersion: typeof sensitivitySchemaVersion;
  readonly kind: "sensitivity";
  /** By how much each input is turned, as a share of it. */
  readonly spread: number;
  /** Requests of each run, of all. */
  readonly requests: number;
  readonly of: number;
  /** The figure that inputs are ordered by. */
  readonly by: SensitivityMetric;
  readonly base: SensitivityFigures;
  /** By the largest change of that figure. */
  readonly inputs: readonly InputSensitivity[];
  /** Inputs that the deployment does not have, and why. */
  readonly others: readonly { readonly input: KnobName; readonly label: string; readonly reason: string }[];
}
