import type { LogHistogram } from "../core/histogram.ts";
import type { MissAction } from "../policy/miss/miss-policy.ts";
import type { PoolRole } from "./config.ts";
import type { MemoryMap } from "./memory/memory.ts";
import type { ReplicaState } from "./scaling/replica-life.ts";

/** Fate of a request. */
export const requestStatus = { completed: 0, rejected: 1, running: 2, waiting: 3, notArrived: 4 } as const;

/** One row per request, in arrival order. Times are ns after the first arrival; NaN where the event did not happen. */
export interface RequestRows {
  readonly count: number;
  readonly status: Uint8Array;
  readonly arrivalNs: Float64Array;
  readonly scheduledNs: Float64Array;
  readonly firstTokenNs: Float64Array;
  readonly lastTokenNs: Float64Array;
  readonly promptTokens: Uint32Array;
  readonly cachedTokens: Uint32Array;
  readonly outputTokens: Uint32Array;
  readonly classOf: Uint16Array;
  readonly classes: readonly string[];
  readonly replicaOf: Uint16Array;
  readonly preemptions: Uint16Array;
  /** Requests at the start that statistics leave out. */
  readonly warmup: number;
}

/** Where the time of steps went, ns summed over steps on the critical path; components sum to the busy time. */
export const timeComponents = [
  "attention",
  "experts",
  "sharedExperts",
  "dense",
  "head",
  "draft",
  "dispatch",
  "combine",
  "allReduce",
  "pipeline",
  "kernelOverhead",
  "hostOverhead",
  "expertFetch",
  "rebalance",
  "promptWait",
  "attentionWait",
  "expertWait",
] as const;
export type TimeComponent = (typeof timeComponents)[number];

/** Routing seen by one MoE layer over the run. */
export interface LayerLoad {
  /** Mean over steps of (heaviest rank / mean rank) tokens; 1 is perfect. */
  readonly imbalance: number;
  /** Largest ratio of a step. */
  readonly imbalanceMax: number;
  /** Tokens of the heaviest expert / tokens of the mean expert over the run; 1 is uniform popularity. */
  readonly expertSkew: number;
  /** Mean distinct experts touched per step, over all ranks. */
  readonly distinctExperts: number;
  /** Token-expert pairs over the run. */
  readonly pairs: number;
  /** Choices that no expert computed, where any; with the pairs they are tokens x topK. */
  readonly withoutExpert?: number;
}

/**
 * Draft tokens over the run, counted as engines do: before the end of an output cuts off what was accepted beyond it.
 */
export interface SpeculationCounts {
  /** Decodes of a sequence that had draft tokens to verify. */
  readonly verifications: number;
  readonly drafted: number;
  readonly accepted: number;
}

/** Experts that were sent to devices before their layers asked for them, over the run. */
export interface PrefetchCounts {
  readonly kind: string;
  /** Guesses that were followed: experts sent, in part at least. Each was useful or wasted. */
  readonly followed: number;
  /** Used before they left the cache; those of them that were still on their way when they were asked for. */
  readonly useful: number;
  readonly late: number;
  /** Not used: thrown out of the cache, given up as wrong while on their way, or left at the end of the run. */
  readonly evicted: number;
  readonly preempted: number;
  readonly unused: number;
  /** Guesses that were not followed: neither the cache nor memory had room. */
  readonly refused: number;
  /** Bytes over the links of devices, and the part of them that was wasted. */
  readonly bytes: number;
  readonly wastedBytes: number;
  /** Time that devices waited for late experts, part of the cache's `stallNs`. */
  readonly lateNs: number;
}

/** Expert cache over the run. */
export interface CacheResult {
  readonly policy: string;
  readonly scope: "layer" | "global";
  readonly slots: number;
  readonly accesses: number;
  readonly hits: number;
  /** Experts that were not there when their call started, those on their way included. */
  readonly misses: number;
  /** Experts that were read from NVMe, for misses or ahead. */
  readonly diskReads: number;
  /** Bytes over the links of devices, those of prefetches included. */
  readonly fetchedBytes: number;
  /** Time the devices waited for experts, ns. */
  readonly stallNs: number;
  /**
   * The same by what a missing expert was waited for: links, tiers, the page cache; ns. Absent in results of earlier
   * releases.
   */
  readonly stallBy?: Readonly<Record<string, number>>;
  /** Bytes that went back from devices into host memory; absent where that keeps copies. */
  readonly writtenBackBytes?: number;
  /** Disk reads that the page cache spared; absent without one. */
  readonly pageCacheHits?: number;
  /** Experts that moved to the nearest memory; absent where none may. */
  readonly promotions?: number;
  /** Mean over calls of distinct experts / slots. */
  readonly unionOverCapacity: number;
  /** What was done about the misses; null where all of them were fetched. */
  readonly actions: MissActions | null;
  /** Absent where experts are fetched on demand alone. */
  readonly prefetch?: PrefetchCounts;
  /** Hit rates on the logged accesses: the policy, the clairvoyant optimum, the best static set, LRU. */
  readonly reference: {
    readonly accesses: number;
    readonly policy: number;
    readonly belady: number;
    readonly bestStatic: number;
    readonly lru: number;
  } | null;
}

/** What became of missing experts. */
export interface MissActions {
  readonly policy: string;
  /** (token, expert) pairs of all calls, hits included. */
  readonly pairs: number;
  /** By action: missing experts of calls, and their (token, expert) pairs. Actions that were never taken are left out. */
  readonly taken: readonly { readonly action: MissAction; readonly experts: number; readonly pairs: number }[];
  /**
   * Share of the router weights of all tokens that was computed narrow, by another expert, late or not at all; null where no
   * weights were recorded, or nothing was asked of them.
   */
  readonly lossyMass: number | null;
}

/** A resource that can be busy: a device, link, disk or front end. */
export interface ResourceUse {
  readonly name: string;
  readonly busyNs: number;
  readonly bytes: number;
}

/** Use of the processes that take requests in and tokenise them, over the run. */
export interface FrontEndUse {
  /** [replicas x front ends] */
  readonly busyNs: readonly number[];
  /** Time that requests waited for their turn, summed, ns. */
  readonly waitNs: number;
}

/** Samples of the state at equal intervals from the first arrival on. */
export interface TimeSeries {
  readonly intervalNs: number;
  readonly waiting: Float64Array;
  readonly running: Float64Array;
  readonly kvUse: Float64Array;
  readonly outputTokens: Float64Array;
}

/** Whether requests arrived when they liked, or each when another was completed. */
export type LoadKind = { readonly kind: "open" } | { readonly kind: "closed"; readonly concurrency: number };

/** How a number came about. The fidelity ledger lists them. */
export type Fidelity =
  | "replayed"
  | "measured"
  | "fitted"
  | "emulated"
  | "assumed"
  | "vendor"
  | "thirdParty"
  | "generated";

export interface LedgerEntry {
  readonly topic: string;
  readonly fidelity: Fidelity;
  readonly detail: string;
}

/** Requests that changed pools, by request; NaN where the event did not happen. Times are ns after the first arrival. */
export interface HandoverRows {
  /** When room was asked for in a decode pool, and when it was there. */
  readonly askedNs: Float64Array;
  readonly reservedNs: Float64Array;
  /** When the prompt was computed, and when its KV cache had arrived. */
  readonly computedNs: Float64Array;
  readonly arrivedNs: Float64Array;
  /** When the first step in the decode pool began. */
  readonly decodedNs: Float64Array;
  /** Bytes of all KV caches that arrived, on all devices. */
  readonly bytes: number;
}

/** Whole models as what is cached, over the run. */
export interface ModelCacheResult {
  readonly models: number;
  /** Bytes of a device for the models that are there at one time. */
  readonly deviceBytes: number;
  /** Requests whose model was there when they reached its scheduler, and those whose model had to be loaded or was closing. */
  readonly found: number;
  readonly missed: number;
  readonly loads: number;
  readonly evictions: number;
  /** Of all loads, on all devices; the time that they took together, ns. */
  readonly loadedBytes: number;
  readonly loadNs: number;
  /** Time in which the devices stood still while a model was awaited, ns. */
  readonly stallNs: number;
  /** Where the models lie that are not there, the nearest tier first. */
  readonly homes: readonly { readonly tier: string; readonly models: number; readonly bytes: number }[];
}

/** Experts that were placed anew while replicas served, over the run. */
export interface RebalanceResult {
  readonly kind: string;
  /** New maps that replicas made, and those that were due and left out because ranks were well used. */
  readonly rebalances: number;
  readonly skipped: number;
  /** Copies that a rank got and had not held, and their bytes, on all devices. */
  readonly movedExperts: number;
  readonly movedBytes: number;
  /** Time that stages stood still for moves, or took longer beside them, ns; the `rebalance` part of step time. */
  readonly stallNs: number;
  /**
   * Pairs of the mean rank over those of the heaviest, both summed over MoE layers, as vLLM logs it; mean over forward passes
   * before the first new map was made, and over those after that with no move under way. null without such passes.
   */
  readonly balancednessBefore: number | null;
  readonly balancednessAfter: number | null;
}

/** What data-parallel and expert ranks sent one another for the experts, over the run and all MoE layers. */
export interface ExchangeResult {
  /** Expert ranks, and nodes (or rack domains), that hold an expert of a token: mean over tokens and layers. */
  readonly ranksPerToken: number;
  readonly nodesPerToken: number;
  /**
   * Bytes from device to device inside nodes (or rack domains) and between them, tokens to experts and results back; null where
   * none are sent, because every rank has or gathers all.
   */
  readonly bytes: Readonly<Record<"dispatch" | "combine", { readonly near: number; readonly far: number }>> | null;
  /** Tokens to or from other ranks: of the rank that sends or receives most, over the mean rank; null as above. */
  readonly busiest: { readonly sender: number; readonly receiver: number } | null;
  /** Share of the recorded rows that were counted for this. */
  readonly countedShare: number;
}

/** How evenly a run loaded its expert ranks. */
export interface RankBalance {
  /** Tokens of the mean rank / tokens of the heaviest, each summed over layers: mean over steps. vLLM logs it so. */
  readonly balancedness: number;
  /** (Pairs of the heaviest rank - those of the lightest) / tokens: mean over steps and layers (MoGE, arXiv 2505.21411). */
  readonly imbalanceScore: number;
}

/** Replicas by state, from a time on. */
export interface ReplicaCount {
  readonly atNs: number;
  readonly starting: number;
  readonly serving: number;
  readonly draining: number;
}

/** How the replicas of a pool came and went. */
export interface ScalingRun {
  /** Times that a replica began to load, and most replicas that were up at once. */
  readonly starts: number;
  readonly mostUp: number;
  /** Each holds until the next one, the last until the end of the run. */
  readonly changes: readonly ReplicaCount[];
}

/** What one pool of a deployment did. */
export interface PoolResult {
  /** Empty for the only pool of a deployment. */
  readonly name: string;
  readonly role: PoolRole;
  /** Of all replicas, whatever their state. */
  readonly devices: number;
  readonly replicaBusyNs: readonly number[];
  /** Time that each replica had devices, and time of all replicas by state, ns. */
  readonly replicaOnNs: readonly number[];
  readonly stateNs: Readonly<Record<ReplicaState, number>>;
  /** null where none comes or goes. */
  readonly scaling: ScalingRun | null;
  /** Time of its replicas' steps for prompts; see `prompt-time.ts`. */
  readonly promptBusyNs: number;
  readonly time: Readonly<Record<TimeComponent, number>>;
  readonly layers: readonly LayerLoad[];
  /** Mean over steps and layers of tokens on each expert rank, relative to the mean rank. */
  readonly rankLoad: readonly number[];
  /** Absent where experts stay where they were placed. */
  readonly rebalance?: RebalanceResult;
  /** Null without replayed routing. */
  readonly rankBalance: RankBalance | null;
  readonly exchange: ExchangeResult | null;
  readonly cache: CacheResult | null;
  readonly memory: MemoryMap;
  readonly kv: KvCounts;
  /** Verifications of draft tokens; null without speculative decoding. */
  readonly speculation: SpeculationCounts | null;
}

export interface KvCounts {
  readonly blocks: number;
  readonly peakBlocks: number;
  readonly preemptions: number;
  readonly prefixHitTokens: number;
  readonly prefixLookupTokens: number;
}

/** What a run of the simulator returns. Everything printed, asserted or compared is a function of it. */
export interface RunResult {
  readonly requests: RequestRows;
  /** Gaps between consecutive output tokens of all counted requests. */
  readonly itl: LogHistogram;
  /** From the first arrival to the last event: the window of rates, shares of time and series. */
  readonly endNs: number;
  readonly steps: number;
  readonly promptTokensComputed: number;
  readonly outputTokens: number;
  readonly replicaBusyNs: readonly number[];
  /** Time of all replicas' steps for prompts; see `prompt-time.ts`. */
  readonly promptBusyNs: number;
  readonly frontEnds: FrontEndUse;
  /** Verifications of draft tokens; null without speculative decoding. */
  readonly speculation: SpeculationCounts | null;
  readonly time: Readonly<Record<TimeComponent, number>>;
  readonly layers: readonly LayerLoad[];
  /** Mean over steps and layers of tokens on each expert rank, relative to the mean rank. */
  readonly rankLoad: readonly number[];
  /** Null without replayed routing. */
  readonly rankBalance: RankBalance | null;
  readonly exchange: ExchangeResult | null;
  readonly cache: CacheResult | null;
  readonly resources: readonly ResourceUse[];
  readonly memory: MemoryMap;
  readonly kv: KvCounts;
  /** Pool by pool. The figures of the whole run are their sums; what has no sum is stated of a single pool only. */
  readonly pools: readonly PoolResult[];
  /** null where every pool serves its requests alone. */
  readonly handover: HandoverRows | null;
  /** null where each replica has its devices for itself. */
  readonly modelCache: ModelCacheResult | null;
  readonly series: TimeSeries;
  readonly load: LoadKind;
  readonly routing: { readonly rows: number; readonly reuse: number } | null;
  readonly ledger: readonly LedgerEntry[];
  /** Whether the run was stopped early. Metrics then cover what had happened. */
  readonly interrupted: boolean;
  /** Checks that each always-on law passed. */
  readonly laws: Readonly<Record<string, number>>;
}
