import type { PoolRole } from "../sim/config.ts";
import type { LoadVerdict } from "../sim/outcome/load/load-verdict.ts";
import type { LatencyMetric } from "../sim/outcome/request-latencies.ts";
import type {
  CacheResult,
  ExchangeResult,
  LayerLoad,
  ModelCacheResult,
  RankBalance,
  RebalanceResult,
  SpeculationCounts,
  TimeComponent,
} from "../sim/result.ts";
import type { ReplicaState } from "../sim/scaling/replica-life.ts";
import type { LatencyStats } from "./latency-figures.ts";
import type { Sections } from "./run-sections.ts";

/** Dollars for the deployment; `price` is that of one device. */
export interface Cost {
  readonly usdPerHour: number;
  readonly price: { readonly usdPerDeviceHour: number; readonly source: string };
  /** The whole bill over output tokens alone. */
  readonly usdPerMillionOutputTokens: number;
  /** The whole bill over input and output tokens alike. */
  readonly usdPerMillionTokens: number;
  /** The bill divided by the devices' time for prompts and for outputs. Both parts add up to it. */
  readonly divided: {
    readonly promptTimeShare: number;
    /** null without input tokens. */
    readonly usdPerMillionInputTokens: number | null;
    readonly usdPerMillionOutputTokens: number;
  };
}

/** How long requests waited, ms. */
export interface WaitFigures {
  readonly n: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** How requests changed from pools that prefill to pools that decode. */
export interface HandoverFigures {
  readonly requests: number;
  /** Bytes of a KV cache, on all devices that it goes to. */
  readonly bytesPerRequest: number;
  /** From asking a decode pool for room until it was there. */
  readonly room: WaitFigures | null;
  /** From the computed prompt, or room for it if that came later, to the arrival of its KV cache. */
  readonly transfer: WaitFigures | null;
  /** From there to the first step in the decode pool. */
  readonly decodeQueue: WaitFigures | null;
}

/** What one pool of a deployment is, and did. */
export interface PoolFigures {
  readonly name: string;
  readonly role: PoolRole;
  /** Of pools whose models take turns, which differ: the model. */
  readonly model?: string;
  readonly device: string;
  readonly devices: number;
  readonly replicas: number;
  readonly mapping: Readonly<Record<"tp" | "cp" | "dp" | "pp" | "ep" | "etp" | "edp", number>>;
  readonly engine: string;
  readonly placement: string;
  readonly offload: string | null;
  /** Share of the time that a pipeline stage of it steps, while its replica is on. */
  readonly utilisation: number;
  /** Share of the time of its steps that went into prompts. */
  readonly promptTimeShare: number;
  readonly timeShare: Readonly<Record<TimeComponent, number>>;
  readonly experts: Figures["experts"];
  readonly cache: CacheResult | null;
  readonly kv: { readonly blocks: number; readonly peakShare: number; readonly preemptions: number };
}

/** Replicas of a pool that come and go. */
export interface ScalingFigures {
  /** Name of the pool; empty for the only one of a deployment. */
  readonly pool: string;
  readonly policy: string;
  readonly min: number;
  readonly max: number;
  /** Replicas with devices, on average over the run, and most that were up at once. */
  readonly mean: number;
  readonly most: number;
  /** Times that a replica began to load. */
  readonly starts: number;
  /** Mean number of replicas in each state. */
  readonly meanByState: Readonly<Record<ReplicaState, number>>;
}

/** Experts of a pool that were placed anew while it served. */
export interface RebalanceFigures extends Omit<RebalanceResult, "stallNs"> {
  /** Name of the pool; empty for the only one of a deployment. */
  readonly pool: string;
  /** Step time of all replicas, the part of it that steps took longer for moves, and that part as a share. */
  readonly stepS: number;
  readonly stallS: number;
  readonly stallShare: number;
}

/** The figures of a forecast. Metrics are read from this part of the result document. */
export interface Figures {
  readonly deployment: {
    /** With replicas that come and go, those of the most replicas. */
    readonly devices: number;
    /** Devices of replicas that are not off, on average over the run; absent where no replica comes or goes. */
    readonly meanDevicesOn?: number;
  };
  readonly interrupted: boolean;
  readonly requests: {
    readonly total: number;
    readonly completed: number;
    readonly rejected: number;
    readonly unfinished: number;
    readonly warmup: number;
    readonly preemptions: number;
  };
  readonly load: LoadVerdict;
  /** By metric, over all classes; then by class. */
  readonly latency: Readonly<Record<LatencyMetric, LatencyStats>>;
  readonly latencyByClass: Readonly<Record<string, Readonly<Record<LatencyMetric, LatencyStats>>>>;
  readonly throughput: {
    readonly durationS: number;
    readonly requestsPerSecond: number;
    readonly outputTokensPerSecond: number;
    readonly outputTokensPerSecondPerDevice: number;
    readonly totalTokensPerSecond: number;
    readonly meanBatchTokens: number;
    /** Share of completed requests that meet every per-request limit of the scenario; null without limits. */
    readonly goodput: number | null;
  };
  readonly cost: Cost | null;
  readonly energy: { readonly joulesPerOutputToken: number; readonly averageW: number } | null;
  readonly experts: {
    /** Mean over MoE layers of the mean imbalance (heaviest / mean rank). */
    readonly imbalance: number;
    readonly imbalanceMax: number;
    /** Mean over MoE layers of heaviest / mean expert over the run. */
    readonly expertSkew: number;
    readonly distinctExpertsPerStep: number;
    readonly layers: readonly LayerLoad[];
    readonly rankLoad: readonly number[];
    /** Absent in results that were saved before it was counted, and without replayed routing. */
    readonly balance?: RankBalance;
    /** What ranks sent one another; absent as above, and where experts are placed anew or there are several copies of all. */
    readonly exchange?: ExchangeResult;
  } | null;
  readonly cache: CacheResult | null;
  /** null without speculative decoding. */
  readonly speculation: (SpeculationCounts & { readonly acceptanceLength: number | null }) | null;
  readonly kv: {
    readonly blocks: number;
    readonly peakShare: number;
    readonly preemptions: number;
    readonly prefixHitRate: number | null;
  };
  /** Figures of parts of the run, for intervals of differences; null for an overloaded deployment. */
  readonly sections: Sections | null;
  /** Absent for a deployment of one pool: the figures above are its. */
  readonly pools?: readonly PoolFigures[];
  /** Pools whose replicas come and go; absent without such. */
  readonly scaling?: readonly ScalingFigures[];
  /** Pools whose experts are placed anew while they serve; absent without such. */
  readonly rebalancing?: readonly RebalanceFigures[];
  /** Absent where every pool serves its requests alone. */
  readonly handover?: HandoverFigures;
  /** Absent where each replica has its devices for itself. */
  readonly modelCache?: ModelCacheResult;
}
