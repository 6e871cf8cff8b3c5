import type { SloVerdict } from "../../forecast/forecast.ts";
import type { RequestLimits } from "../../metrics/goodput.ts";
import type { InputRow } from "../../resolve/input-row.ts";
import type { ReplicaState } from "../../sim/scaling/replica-life.ts";

/** What a day has to keep. */
export interface DayGoal {
  /** SLOs of the scenario, as written. */
  readonly slos: readonly string[];
  /** Limits in ns that a request misses or meets: those of `slo.perRequest`, else those of the SLOs on latencies. */
  readonly limits: RequestLimits;
  /** Share of the requests that have to meet the limits; null where SLOs say it. */
  readonly attainment: number | null;
}

/** A stretch of the day. Requests belong to the one that they arrive in. */
export interface DayHour {
  /** Those that were not rejected as too long for any replica, and those of them that did not meet every limit. */
  readonly requests: number;
  readonly misses: number;
  /** Devices of replicas that are not off, on average and at most. */
  readonly meanDevices: number;
  readonly mostDevices: number;
}

/** Replicas by state from a time on, after the first arrival. */
export interface ReplicasFrom {
  readonly atS: number;
  readonly starting: number;
  readonly serving: number;
  readonly draining: number;
}

/** The replicas of a pool over the day. */
export interface DayPool {
  /** Empty for the only pool of a deployment. */
  readonly name: string;
  readonly device: string;
  readonly devicesPerReplica: number;
  /** Name of its scaling policy; null: none comes or goes. */
  readonly policy: string | null;
  readonly starts: number;
  readonly mostUp: number;
  /** Time with devices by state, replica-hours. */
  readonly replicaHours: Readonly<Record<Exclude<ReplicaState, "off">, number>>;
  /** null without a price. */
  readonly usd: number | null;
  /** Each holds until the next one, the last until the end of the run. */
  readonly replicas: readonly ReplicasFrom[];
}

/** A fleet that was run through the whole day. */
export interface DayCandidate {
  readonly name: string;
  /** As `--set` takes them. */
  readonly set: readonly string[];
  /** `static`: all replicas from start to end; `foresight`: set from the very day that it is judged on. */
  readonly kind: "static" | "scaled" | "foresight";
  /** Whether it keeps the goal over the day. */
  readonly holds: boolean;
  readonly slos: readonly SloVerdict[];
  readonly requests: number;
  readonly misses: number;
  /** Requests too long for any replica, which count nowhere. */
  readonly rejected: number;
  readonly hours: readonly DayHour[];
  /** Index of the hour with the largest share of misses; null where nothing was missed. */
  readonly worstHour: number | null;
  readonly pools: readonly DayPool[];
  readonly deviceHours: number;
  /** Of all devices that were on, from the first arrival to the last token; null without prices. */
  readonly usd: number | null;
  /** Of the devices alone; null where a profile states no power. */
  readonly joules: number | null;
  /** From the first arrival to the last token. */
  readonly spanS: number;
}

/** A fleet that could not be run, and why. */
export interface LeftOutCandidate {
  readonly name: string;
  readonly reason: string;
}

/** The fewest static replicas that keep the goal. */
export interface StaticFleet {
  /** Name of the candidate. */
  readonly name: string;
  /** Settings of replicas and their numbers. */
  readonly replicas: readonly { readonly at: string; readonly count: number }[];
  /** Whether one more replica everywhere keeps the goal too: the search takes that for granted. */
  readonly oneMoreHolds: boolean;
  readonly runs: number;
}

export interface DayVerdict {
  /** Name of the cheapest candidate that keeps the goal without foresight. */
  readonly name: string;
  readonly headline: string;
  readonly reasons: readonly string[];
}

/** Fleets over a day of traffic, and static provisioning beside them; plain JSON. */
export interface DayPlan {
  readonly kind: "day-plan";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: { readonly name: string; readonly description: string; readonly file: string };
  readonly model: string;
  readonly seed: number;
  readonly inputs: readonly InputRow[];
  readonly hourS: number;
  readonly goal: DayGoal;
  /** What the day brings, by hour: requests, and their prompt and output tokens. */
  readonly traffic: readonly { readonly requests: number; readonly tokens: number }[];
  /** From a decision until a replica serves, and what that is made of, by pool. */
  readonly startUp: readonly { readonly pool: string; readonly seconds: number; readonly how: string }[];
  readonly fleet: StaticFleet;
  readonly candidates: readonly DayCandidate[];
  readonly leftOut: readonly LeftOutCandidate[];
  readonly verdict: DayVerdict;
  /** Whether it was interrupted: what is listed is what there is. */
  readonly interrupted: boolean;
}
