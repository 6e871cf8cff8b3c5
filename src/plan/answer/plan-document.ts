import type { FrontierPoint } from "../frontier/frontier.ts";
import type { CandidateState } from "../search/track.ts";
import type { Finalist } from "./finalists.ts";
import type { Sensitivity } from "./sensitivity.ts";

/** A candidate as `plan.json` has it. */
export interface PlanCandidate {
  readonly id: string;
  readonly name: string;
  /** Hardware and engine, of those that there was a choice of: `on h200-sxm-8 under sglang`. */
  readonly site: string;
  /** As `--set` takes them, over the scenario. */
  readonly settings: readonly string[];
  readonly devices: number;
  readonly usdPerHour: number | null;
  readonly powerW: number | null;
  readonly status: CandidateState;
  readonly cause: string | null;
  readonly reason: string | null;
  /** Requests of its longest run; 0 where it was not run. */
  readonly requests: number;
  /** Of that run, by name; null without one. */
  readonly figures: Readonly<Record<string, number | null>> | null;
  /** The SLO that is the nearest to its limit, and its value as a multiple of the limit. */
  readonly binding: string | null;
  readonly strain: number | null;
}

/** What is shown of a run first. */
export interface ShownFigures {
  readonly ttftP99Ms: number | null;
  readonly tpotP50Ms: number | null;
  /** The SLO that is the nearest to its limit, and its value as a multiple of the limit. */
  readonly binding: string | null;
  readonly strain: number | null;
}

/** A deployment that was found. */
export interface FoundCandidate {
  readonly id: string;
  /** By which it was ranked; less is better. */
  readonly value: number;
  readonly text: string;
  /** Settings of the traffic under which it stands, where that is not the scenario's. */
  readonly load: readonly string[];
  /** Of the run that it stands on; null for points of a frontier, which are no answer to the SLOs. */
  readonly shown: ShownFigures | null;
}

/** What an objective came to. */
export interface ObjectiveAnswer {
  readonly name: string;
  readonly title: string;
  /** Feasible candidates of distinct layouts, the best first; empty: none meets the SLOs. */
  readonly found: readonly FoundCandidate[];
  /** Where none meets the SLOs: the one that comes the nearest. */
  readonly closest: { readonly id: string; readonly shortfall: string } | null;
}

/** What is run today, under the load and with the SLOs of the question. */
export interface PlanBaseline {
  readonly file: string;
  readonly devices: number | null;
  readonly usdPerHour: number | null;
  readonly meets: boolean;
  /** Why it does not; null where it does. */
  readonly broken: string | null;
  /** By the names of the objectives. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** The answer of a plan: `plan.json`. */
export interface PlanDocument {
  readonly kind: "plan";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: {
    readonly name: string;
    readonly description: string;
    readonly file: string;
    /** What the command line laid over it, before the settings of a candidate. */
    readonly settings: readonly string[];
    /** Parameters of its file paths, as `--param` gave them. */
    readonly params: Readonly<Record<string, string>>;
  };
  readonly seed: number;
  readonly space: {
    readonly candidates: number;
    readonly layouts: number;
    readonly devicesMax: number;
    /** Whether nobody stated how many devices there may be. */
    readonly devicesAssumed: boolean;
    readonly exhaustive: boolean;
    readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  };
  readonly traffic: {
    readonly requests: number;
    readonly ratePerSecond: number | null;
    readonly concurrency: number | null;
    readonly promptTokens: number;
    readonly outputTokens: number;
  };
  readonly slos: readonly string[];
  readonly counts: Readonly<Record<CandidateState, number>>;
  /** Runs that were made and their requests in all, and the samples that the search goes through. */
  readonly effort: { readonly runs: number; readonly requests: number; readonly samples: readonly number[] };
  readonly objectives: readonly ObjectiveAnswer[];
  /** The best of each objective, and the next best of the first one. */
  readonly finalists: readonly Finalist[];
  /** Every layout under growing load, where the frontier was looked for; else null. */
  readonly frontier: readonly FrontierPoint[] | null;
  /** What changes of the question make of the best by the first objective; null where none meets the SLOs. */
  readonly sensitivity: readonly Sensitivity[] | null;
  /** What is run today; null where it could not be run. */
  readonly baseline: PlanBaseline | null;
  readonly interrupted: boolean;
  readonly candidates: readonly PlanCandidate[];
}
