import type { LoadBalance } from "../policy/placement/load-balance.ts";
import type { PlacementProof } from "../policy/placement/placement.ts";
import type { MigrationCost } from "./migration-cost.ts";
import type { RunFigures } from "./placed-runs.ts";
import type { RankTraffic } from "./rank-traffic.ts";
import type { StepTimes } from "./step-parts.ts";

/** Balance of a map on some traffic. */
export interface MapBalance {
  /** Over all of the traffic at once: what lasts. */
  readonly whole: LoadBalance;
  /** Mean over steps of the batch: what a step sees. */
  readonly step: Pick<LoadBalance, "maxOverMean" | "balancedness">;
}

/** A placement that was fitted and judged. */
export interface JudgedMap {
  readonly policy: string;
  readonly redundant: number;
  /** Whether it is what the scenario says. */
  readonly isCurrent: boolean;
  /** On the traffic that it was fitted to, and on traffic that it was not fitted to; the latter null where nothing is held out. */
  readonly fitted: MapBalance;
  readonly heldOut: MapBalance | null;
  readonly traffic: RankTraffic;
  /** Copies beyond one of each expert: bytes on the device that has most, and tokens of KV cache that they cost there. */
  readonly copyBytes: number;
  readonly kvTokens: number;
  /** From the map in use. */
  readonly migration: MigrationCost;
  /** What its solvers proved; empty without any. */
  readonly proofs: readonly PlacementProof[];
}

/** A map simulated with the same requests and random draws as the one in use; gains null for that one. */
export interface SimulatedMap extends RunFigures {
  readonly policy: string;
  readonly redundant: number;
  readonly isCurrent: boolean;
  readonly imbalance: number;
  /** Share of step time in which ranks wait for the busiest one, and in which tokens travel. */
  readonly waitShare: number;
  readonly exchangeShare: number;
  /** The largest share of the KV cache that was taken. */
  readonly kvPeakShare: number;
  readonly stepNs: StepTimes;
}

/** Maps fitted on one topic and judged on each: max/mean of ranks, mean over layers. */
export interface TopicMatrix {
  readonly policy: string;
  readonly redundant: number;
  readonly topics: readonly string[];
  /** [topic fitted on][topic judged on] */
  readonly maxOverMean: readonly (readonly number[])[];
  /** [topic judged on] of the map in use. */
  readonly current: readonly number[];
}

export interface LeftOutMap {
  readonly policy: string;
  readonly redundant: number;
  readonly reason: string;
}

/** Which traffic maps were fitted to, and which they were judged and simulated on. */
export interface TrafficSplit {
  readonly by: "time" | "topic" | "none";
  readonly fit: string;
  readonly test: string;
  readonly fitRows: number;
  readonly testRows: number;
  readonly notes: readonly string[];
}

/** What could be won at most. */
export interface BalanceBound {
  /** Tokens of a step, and those that its balance was judged on: fewer where the recording has no more. */
  readonly batch: number;
  readonly judgedTokens: number;
  /** Heaviest over mean rank of the map in use, per step and over the whole held-out traffic. */
  readonly step: number;
  readonly lasting: number;
  /** What steps of so many independent tokens have by chance under a map of equally loaded ranks. */
  readonly chance: number;
  /** Tokens of a step from which the lasting part is larger than chance; null where nothing lasts. */
  readonly batchNeeded: number | null;
  /** Tokens of a step from which experts take longer to compute than to read, at the device's peaks. */
  readonly computeBoundBatch: number;
  /** Share of the simulated step time that is waiting for the busiest rank: all that perfect balance of every step could save. */
  readonly waitShare: number;
  readonly exchangeShare: number;
  /** Whether bytes between ranks depend on the map under the engine's exchange. */
  readonly exchangeFollowsMap: boolean;
}

export interface PlacementVerdict {
  readonly apply: boolean;
  readonly policy: string;
  readonly redundant: number;
  readonly headline: string;
  /** Why, and what would have to change. */
  readonly reasons: readonly string[];
}

/** Placement policies compared on recorded traffic; plain JSON. */
export interface PlacementComparison {
  readonly kind: "placement-comparison";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: { readonly name: string; readonly description: string; readonly file: string };
  readonly model: string;
  readonly ranks: number;
  readonly nodes: number;
  readonly layers: number;
  readonly experts: number;
  readonly expertBytes: number;
  readonly requests: number;
  readonly repeats: number;
  readonly seed: number;
  /** Bytes of a token sent to a rank and back. */
  readonly tokenBytes: number;
  readonly split: TrafficSplit;
  readonly current: { readonly policy: string; readonly redundant: number };
  readonly maps: readonly JudgedMap[];
  readonly leftOut: readonly LeftOutMap[];
  readonly topics: readonly TopicMatrix[];
  readonly simulated: readonly SimulatedMap[];
  readonly bound: BalanceBound;
  readonly verdict: PlacementVerdict;
  /** Whether it was interrupted: what is listed is what there is. */
  readonly interrupted: boolean;
}
