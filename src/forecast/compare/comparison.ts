import type { MetricUnit } from "../../metrics/metric.ts";
import type { Forecast, SloVerdict } from "../forecast.ts";
import type { ChangeVerdict } from "./change-verdict.ts";
import type { InputChange } from "./input-changes.ts";
import type { LedgerChange } from "./ledger-changes.ts";
import type { IntervalBasis } from "./paired-interval.ts";

/** Version of the document; raised on every incompatible change. */
export const comparisonSchemaVersion = 1;

/** Results side by side, scenario by scenario: the document of `moecast compare --format json`. */
export interface Comparison {
  readonly schemaVersion: typeof comparisonSchemaVersion;
  readonly kind: "comparison";
  readonly moecastVersion: string;
  /** The files that were compared, the base first. */
  readonly files: readonly string[];
  /** Scenarios of the base, in its order, that another file has too. */
  readonly scenarios: readonly ScenarioComparison[];
  /** Scenarios that not all files have. */
  readonly unmatched: readonly UnmatchedScenario[];
  /** Metrics that the comparison was restricted to; null for all. */
  readonly only: readonly string[] | null;
  /** Whether limits were given and something is beyond them: a metric, or a scenario of the base that is gone. */
  readonly regressed: boolean;
}

/** A scenario that not all files have. */
export interface UnmatchedScenario {
  readonly scenario: string;
  /** Places in `files`. */
  readonly presentIn: readonly number[];
  readonly missingIn: readonly number[];
}

/** One scenario in the base and in other results. */
export interface ScenarioComparison {
  readonly scenario: string;
  readonly base: ComparedResult;
  readonly against: readonly ResultComparison[];
}

/** What a comparison says of one result itself. */
export interface ComparedResult {
  /** Place in `files`. */
  readonly file: number;
  readonly scenario: string;
  readonly moecastVersion: string;
  readonly seed: number;
  /** How many seeds it ran. */
  readonly seeds: number;
  readonly interrupted: boolean;
  readonly requests: { readonly completed: number; readonly total: number };
  readonly load: Forecast["load"]["verdict"];
  readonly passed: boolean;
  readonly bottleneck: { readonly component: Forecast["bottleneck"]["component"]; readonly share: number };
}

/** A result against the base. */
export interface ResultComparison {
  readonly result: ComparedResult;
  readonly inputs: readonly InputChange[];
  /** What the two drew differently: seed, requests, routing; empty where what differs comes from the change. */
  readonly otherDraws: readonly string[];
  /** Seeds that both ran; 0 where one of them ran once. */
  readonly sharedSeeds: number;
  readonly cautions: readonly Caution[];
  readonly metrics: readonly MetricChange[];
  readonly slos: readonly SloChange[];
  readonly ledger: readonly LedgerChange[];
  /** Metrics beyond their limits; empty without limits. */
  readonly regressions: readonly string[];
}

/** Why figures of two results cannot be held against each other as they stand. */
export const cautionKinds = {
  interrupted: "is a part of its run",
  overloaded: "is overloaded: its latencies grow with the run, and are missing",
  tooShort: "is too short to tell whether it keeps up",
  otherScenario: "is of another scenario",
  fewSeeds: "shares too few seeds with the base for an interval over seeds: the first runs are compared",
} as const satisfies Readonly<Record<string, string>>;

/** A caution, and which of the two it is about. */
export interface Caution {
  readonly kind: keyof typeof cautionKinds;
  readonly of: "base" | "result";
}

/** A metric of a result against the base, values in its unit. */
export interface MetricChange {
  readonly metric: string;
  readonly unit: MetricUnit;
  readonly better: "lower" | "higher";
  /** null where a result lacks it. */
  readonly before: number | null;
  readonly after: number | null;
  /** after - before; null where one is missing. */
  readonly difference: number | null;
  /** The same as a share of before; null from zero too. */
  readonly relative: number | null;
  /** Half-width of the 99 % interval of the difference; null where it is not known. */
  readonly halfWidth: number | null;
  readonly basis: IntervalBasis | null;
  readonly verdict: ChangeVerdict;
  /** How much worse it may be, as a share of before; null without limits. */
  readonly limit: number | null;
  readonly regressed: boolean;
}

type SloStand = Pick<SloVerdict, "passed" | "valueText">;

/** An SLO of either result; null where a result has no such SLO. */
export interface SloChange {
  readonly metric: string;
  readonly expression: string;
  readonly level: SloVerdict["level"];
  readonly before: SloStand | null;
  readonly after: SloStand | null;
}
