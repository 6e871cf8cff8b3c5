import type { InputRow } from "../../resolve/input-row.ts";
import type { TimeComponent } from "../../sim/result.ts";
import type { AdviceUnit, Forecast } from "../forecast.ts";
import type { IdealName } from "./ideals/ideals.ts";
import type { PathMetric } from "./path-metrics.ts";
import type { RequestPath } from "./request-path.ts";

/** Version of the document; raised on every incompatible change. */
export const explanationSchemaVersion = 1;

/** A request, why it is shown, and where its time went. */
export interface ExplainedRequest extends RequestPath {
  /** The percentile it stands at, in (0, 1]; null for one that was named. */
  readonly at: number | null;
  /** Its latency: of `tpot` per output token but the first; ns. */
  readonly valueNs: number;
  readonly arrivalNs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

/** How the metric is with a change, beside how it is without. */
export interface Effect {
  readonly after: number;
  /** By which share of what it was it is better; below 0 it is worse. */
  readonly gain: number;
  /** Half-width of the 99 % interval of the gain; null where it is not known. */
  readonly halfWidth: number | null;
  /** Whether the gain is beyond the interval, or without one beyond a fiftieth. */
  readonly clear: boolean;
}

/** A change of the scenario that was tried by a run. */
export interface Purchase {
  readonly text: string;
  /** As given to `--set`. */
  readonly set: readonly string[];
  /** `hardware` has to be bought; a `setting` does not. */
  readonly kind: "hardware" | "setting";
  /** Whether the model computes something else with it. */
  readonly changesOutput: boolean;
  readonly effect: Effect;
}

/** A resource made free, and the nearest change that can be had. */
export interface IdealEffect {
  readonly ideal: IdealName;
  readonly label: string;
  readonly effect: Effect;
  /** null where none is known or none could be tried; `noPurchase` says which. */
  readonly purchase: Purchase | null;
  readonly noPurchase: string | null;
}

/** What would help, on the first requests of the run and the same draws. */
export interface Helps {
  readonly metric: string;
  readonly unit: AdviceUnit;
  readonly lowerIsBetter: boolean;
  /** Without any change, over the same requests. */
  readonly before: number;
  /** Requests of each trial, of all. */
  readonly requests: number;
  readonly of: number;
  /** Ideals by gain, the largest first. */
  readonly ideals: readonly IdealEffect[];
  /** Ideals that do not apply, and why. */
  readonly others: readonly { readonly ideal: IdealName; readonly label: string; readonly reason: string }[];
  /** The purchase with the largest clear gain; null where none helps. */
  readonly first: Purchase | null;
}

/** How the run that was made for the explanation relates to the result that is explained. */
export interface Reproduction {
  readonly moecastVersion: string;
  /** Whether all figures are the same. */
  readonly same: boolean;
  /** Figures that differ, as `path: was -> is`; at most ten. */
  readonly differing: readonly string[];
}

/** Where the time of requests goes, and what would help: `moecast explain`. */
export interface Explanation {
  readonly schemaVersion: typeof explanationSchemaVersion;
  readonly kind: "explanation";
  readonly moecastVersion: string;
  readonly scenario: Forecast["scenario"];
  readonly seed: number;
  readonly inputs: readonly InputRow[];
  /** The latency whose path is followed. */
  readonly metric: PathMetric;
  /** Requests that count. */
  readonly counted: number;
  readonly requests: readonly ExplainedRequest[];
  /** Share of all steps' time by component. */
  readonly timeShare: Readonly<Record<TimeComponent, number>>;
  readonly load: Forecast["load"]["verdict"];
  /** null where the scenario itself is explained. */
  readonly reproduction: Reproduction | null;
  /** null where nothing was asked for or tried; `noHelps` says why. */
  readonly helps: Helps | null;
  readonly noHelps: string | null;
}
