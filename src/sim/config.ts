import type { StorageFormat } from "../core/dtype.ts";
import type { Parameters, ParameterValues } from "../core/parameters.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import type { Handover } from "../engine/handover/handover.ts";
import type { ExpertParts } from "../engine/offload-flags/expert-parts.ts";
import type { HostSide } from "../engine/offload-flags/offload-flags.ts";
import type { Node } from "../hardware/device.ts";
import type { ModelSpec, TensorClass, WeightStorage } from "../models/spec.ts";
import type { AdmissionChoice } from "../policy/cache/admission/admission.ts";
import type { CachePolicy } from "../policy/cache/expert-cache.ts";
import type { Reserved } from "../policy/cache/reserved.ts";
import type { DispatchChoice } from "../policy/dispatch/dispatch.ts";
import type { MissChoice } from "../policy/miss/miss-policy.ts";
import type { LivePlacementPolicy, Placement, PlacementLimits } from "../policy/placement/placement.ts";
import type { PrefetchedCache, Prefetcher } from "../policy/prefetch/prefetcher.ts";
import type { RebalancePlan } from "../policy/rebalance/rebalance.ts";
import type { RouterPolicy } from "../policy/router/router.ts";
import type { ScalingPolicy } from "../policy/scaling/scaling.ts";
import type { RequestTable } from "../trace/request-table.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { type CpKvCache, devicesOf, type Mapping } from "./mapping.ts";
import type { PrefetchRules } from "./offload/prefetch-lane.ts";

/**
 * What a pool does for a request: all of it, its prompt, its output after another pool computed the prompt, or nothing but read
 * its prompt to choose the model that serves it.
 */
export type PoolRole = "both" | "prefill" | "decode" | "router";

/** Replicas that are alike, on their own devices: what they serve, on what, with which engine, mapping and policies. */
export interface PoolConfig {
  /** Of a pool among several; the only pool of a deployment has none. */
  readonly name?: string;
  /** Absent: `both`. */
  readonly role?: PoolRole;
  readonly model: ModelSpec;
  /** Storage format per tensor class in this deployment. It may be quantised further than the release. */
  readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
  /** As in `ModelSpec`, for the formats of this deployment. */
  readonly weightBits?: WeightStorage["weightBits"];
  readonly kvFormat: StorageFormat;
  readonly node: Node;
  readonly engine: EngineProfile;
  readonly mapping: Mapping;
  /** With context parallelism: who keeps what of the KV cache. Absent: `sharded`. */
  readonly cpKvCache?: CpKvCache;
  /**
   * Copies of the whole mapping behind one router; with `scaling` the most that can be up. With `kvBytes` models of one shape
   * that take turns on the devices of one.
   */
  readonly replicas: number;
  /** Bytes of each device for KV caches, of a model that shares its devices with others; absent: all that weights leave. */
  readonly kvBytes?: number;
  /** Absent: all replicas are up from the start to the end. */
  readonly scaling?: ScalingConfig;
  /** First device of the first replica, counted over the nodes of the system; absent: behind the pools before. */
  readonly firstDevice?: number;
  /** Processes of a replica that take requests in and tokenise them. */
  readonly frontEnds: number;
  /** From the first arrival until replicas serve: 0 where they are ready. */
  readonly readyNs: number;
  readonly scheduler: SchedulerConfig;
  readonly router: RouterPolicy;
  readonly routing: Routing;
  /** null: contiguous, each expert once. */
  readonly placement: Placement | null;
  /** Absent: experts stay where they are placed. */
  readonly rebalance?: RebalanceConfig;
  /** How tokens are divided among the copies of an expert; absent: round-robin. */
  readonly dispatch?: DispatchChoice;
  readonly offload: OffloadConfig | null;
  /** What of the model beside experts the processors of the host compute; absent: nothing. */
  readonly host?: HostWork;
  /** null: one token per decode and step. */
  readonly speculation: SpeculationConfig | null;
}

/**
 * Everything the simulator needs, as plain values: no file, no default, no name left to resolve. A deployment is its first
 * pool, and others beside it.
 */
export interface SimConfig extends PoolConfig {
  readonly seed: number;
  readonly workload: Workload;
  /** First requests by arrival, the warm-up: their latencies are left out of the statistics. */
  readonly warmupRequests: number;
  /** Pools beside the first one; absent: none. */
  readonly otherPools?: readonly PoolConfig[];
  /** How prompts computed in `prefill` pools reach `decode` pools; absent without such. */
  readonly handover?: HandoverConfig;
  /** Models that take turns on the same devices, every replica with one of its own; absent: each replica has its devices. */
  readonly modelCache?: ModelCacheConfig;
  /** How a stretch of the run is run, where policies are not of moecast and may never end; absent: as it is. */
  readonly bounded?: <T>(work: () => T) => T;
}

/** Whole models as what is cached: those that device memory has room for, before the tiers that hold all. */
export interface ModelCacheConfig {
  /** Of each device, for weights, buffers and KV caches of the models that are there at one time. */
  readonly deviceBytes: number;
  /** Added to the transfer of every load. */
  readonly loadOverheadNs: number;
  /** Pools whose models are there from the start and never leave. */
  readonly keep: readonly number[];
  /** [requests] replica, counted over all pools, that has the model of the request. */
  readonly servedBy: Uint16Array;
}

/** Devices of a pool. Models that share theirs have them together. */
export const devicesOfPool = ({ mapping, replicas, kvBytes }: PoolConfig): number =>
  devicesOf(mapping) * (kvBytes === undefined ? replicas : 1);

/** [pools] devices of each; of pools that share theirs the first one has them. */
export const devicesByPool = (config: SimConfig): number[] =>
  poolsOf(config).map((pool, i) => (config.modelCache === undefined || i === 0 ? devicesOfPool(pool) : 0));

/** How the KV cache of a prompt that a `prefill` pool computed reaches a `decode` pool. */
export interface HandoverConfig extends Handover {
  /** Prompts of at most this many tokens are computed by the decode pool itself. */
  readonly localPromptTokens: number;
  /** Chooses a replica of the decode pools. */
  readonly router: RouterPolicy;
}

/** A deployment of one replica of the same kind, up from the start to the end. */
export function oneReplica({ scaling: _scaling, ...config }: SimConfig): SimConfig {
  return { ...config, replicas: 1 };
}

/** The pools of a deployment, the first one first. */
export const poolsOf = (config: SimConfig): readonly PoolConfig[] => [config, ...(config.otherPools ?? [])];

/** Experts that are placed anew while replicas serve, each with a map of its own. */
export interface RebalanceConfig {
  readonly name: string;
  readonly plan: RebalancePlan;
  readonly placement: LivePlacementPolicy;
  /** Of its own parameters; absent: the defaults. */
  readonly values?: ParameterValues<Parameters>;
  /** Nodes and groups of a hierarchical placement. */
  readonly nodes: number;
  readonly groups: number;
  /** Limits that every map keeps, `rooms` those of all layers that hold experts. */
  readonly limits: PlacementLimits;
}

/** Replicas that come and go. */
export interface ScalingConfig {
  readonly policy: ScalingPolicy;
  readonly values: ParameterValues<Parameters>;
  /** Replicas that are up when the first request arrives, and the fewest that may ever be. */
  readonly atStart: number;
  readonly min: number;
  /** From one time that the policy is asked to the next. */
  readonly everyNs: number;
  /** From the decision until a new replica serves. */
  readonly startupNs: number;
}

export interface SchedulerConfig {
  /** Tokens per step and data-parallel rank. */
  readonly maxBatchTokens: number;
  /** Running sequences per data-parallel rank. */
  readonly maxSequences: number;
  /** Steps without prompts after which a busy scheduler looks for new requests. */
  readonly recvInterval: number;
  readonly chunkedPrefill: boolean;
  readonly prefixCaching: boolean;
  /** Tokens per KV block. */
  readonly blockTokens: number;
  /** Share of device memory that the engine may use. */
  readonly memoryUtilisation: number;
  /** Longest prompt + output that is accepted. Longer requests are rejected and counted. */
  readonly contextTokensMax: number;
  /**
   * Caches that the engine sets aside at start, of so many contexts: of the longest, or of what fits and has at least `tokensMin` tokens.
   * Absent: sequences take their blocks when they need them.
   */
  readonly reserved?: { readonly contexts: number; readonly tokensMin: number };
}

export type Workload =
  /** Requests arrive when the table says so. */
  | { readonly kind: "open"; readonly requests: RequestTable }
  /** A fixed number of clients. Each sends its next request when the last one finished; arrival times are ignored. */
  | { readonly kind: "closed"; readonly requests: RequestTable; readonly concurrency: number };

export type Routing =
  | {
      readonly kind: "replay";
      readonly table: RoutingTable;
      /** [MoE layers] trace layer that each MoE layer of the model replays. */
      readonly layerMap: readonly number[];
      readonly start: "zero" | "random";
    }
  /**
   * No per-token routing: distinct experts and loads are those expected of independently routed tokens. `popularityCv`
   * is the coefficient of variation of expert popularity; absent: uniform.
   */
  | { readonly kind: "uniform"; readonly popularityCv?: number };

/** Layers and caches of a model in host memory, whose processors compute them. */
export interface HostWork extends HostSide {
  /** Tokens of a step from which the device computes the products of the host's layers, whose weights it then copies; null: never. */
  readonly deviceFrom: number | null;
}

/** Experts that live below device memory and are cached in slots. */
export interface OffloadConfig {
  /** Its parameters are set. */
  readonly policy: CachePolicy;
  /** What may enter a cache; null: every expert that is missing. */
  readonly admission: AdmissionChoice | null;
  /** What is done about missing experts; absent: all are fetched. */
  readonly miss?: MissChoice;
  readonly scope: "layer" | "global";
  /** Expert slots in device memory of a rank: per layer with scope `layer`, in all with scope `global`. */
  readonly slots: number;
  /**
   * [MoE layers] slots of each layer with scope `layer`, 0 for a visit of the experts of an earlier one; `slots` is then their mean,
   * rounded. Absent: `slots` each.
   */
  readonly slotsPerLayer?: Uint32Array;
  /**
   * [MoE layers] experts that are in two places for good: the layer has no slots, and its misses are the host's. Absent: all are
   * whole.
   */
  readonly parts?: readonly (ExpertParts | null)[];
  /**
   * Experts that keep their slots whatever the policy does, as MoE layer x experts + expert; absent: none. A rank has room for its
   * own.
   */
  readonly reserved?: Reserved;
  /**
   * Bytes of the first memory tier of a node for experts, in even shares for its replicas. Experts beyond a share live in
   * the tiers behind it; where these are disks that devices read through memory, the share caches what lives there by LRU.
   */
  readonly hostBytes: number;
  /** Whether memory that holds experts is page-locked, so that devices read it in place. */
  readonly pinned: boolean;
  /** How experts that live on a disk reach a device: through host memory, or straight. Absent: `host`. */
  readonly diskPath?: "host" | "direct";
  /** Whether host memory in front of disks keeps what devices take in, or only what they lack. Absent: `inclusive`. */
  readonly hostCache?: "inclusive" | "exclusive";
  /**
   * Bytes of a node's memory for pages of the files that experts are read from, or all that nothing else takes. Absent: reads
   * of disks pass no page cache.
   */
  readonly pageCache?: number | "rest";
  /** Rate at which one thread copies out of the page cache; absent: that of copies of pageable memory. */
  readonly pageCopyBytesPerSecond?: number;
  /** Whether experts stay in the memory that they were put into, or hot ones move to the nearest. Absent: `static`. */
  readonly tiering?: "static" | "lru";
  /** Where experts lie in a memory that several sockets share; absent where a node has one. */
  readonly numa?: "local" | "interleave";
  /**
   * [trace layers x experts] uses, for policies that need `popularity` (`static`); others ignore them. null where
   * nothing was counted: a scenario counts in the fitting set, and only for a policy that needs it.
   */
  readonly popularity: Float64Array | null;
  /** Whether transfers of missing experts run beside the computing of resident ones. */
  readonly overlap: boolean;
  /** Experts that are sent before their layers ask for them; absent: none. */
  readonly prefetch?: PrefetchConfig;
  /** Most accesses that are kept for replay under reference policies after the run. */
  readonly logAccessesMax: number;
}

/** Who guesses which experts later layers will ask for, and how a run follows the guesses. */
export interface PrefetchConfig extends PrefetchRules {
  readonly name: string;
  /** Learns what there is to learn, for all caches of a run. */
  readonly prepare: () => (cache: PrefetchedCache) => Prefetcher;
}

/**
 * Speculative decoding: the next tokens of every decoding sequence are drafted. The model verifies them in one step.
 */
export interface SpeculationConfig {
  /** Tokens drafted for a sequence per step. */
  readonly draftTokens: number;
  /** [draftTokens] probability that a draft token is accepted if all before it were. */
  readonly acceptance: Float64Array;
  readonly draft: Draft;
}

/** Where draft tokens come from, and what they cost. */
export type Draft =
  /** Decoder layers of the model's own shape (multi-token prediction), passed once per draft token. */
  | { readonly kind: "mtp"; readonly layersPerToken: number }
  /** A small draft head: the model's attention and a dense feed-forward network, passed once per draft token. */
  | { readonly kind: "eagle"; readonly layersPerToken: number }
  /** Found in the text so far (n-grams, suffixes), at no cost to the device. */
  | { readonly kind: "free" };
