import type { ExpertExchange } from "./exchange/expert-exchange.ts";
import type { HalfBatchOrder } from "./exchange/half-batch-orders.ts";
import type { Handover } from "./handover/handover.ts";

/**
 * Where an engine keeps caches that stop growing with the context. `shared`: in blocks of the KV cache's pool.
 * `reserved`: set aside at start, for the most sequences. `full`: as if the window were the whole context. A number: in
 * a pool of its own.
 */
export interface CachePools {
  /** Sliding windows. A number: tokens of their pool per token of the pool of full caches. */
  readonly windows: "shared" | "reserved" | "full" | number;
  /** Windows that are chunks. */
  readonly chunks: "shared" | "reserved" | "full" | number;
  /** Recurrent states. A number: bytes of their pool per byte of the others. */
  readonly states: "shared" | "reserved" | number;
  /** States that each running sequence has room for where prefixes are cached. */
  readonly statesPerSequence: number;
}

/** Parts of a layer that launch kernels of their own. */
export const kernelParts = [
  "attention",
  "queryKeyNorm",
  "outputGate",
  "latentAttention",
  "indexer",
  "linearAttention",
  "dense",
  "experts",
  "sharedExperts",
] as const;
export type KernelPart = (typeof kernelParts)[number];

/** Formats of weights whose products need further kernels. */
export const kernelFormats = ["fp8", "fp8Block", "int4", "nvfp4", "mxfp4"] as const;
export type KernelFormat = (typeof kernelFormats)[number];

/**
 * How an engine splits weights between devices and host once, at start: whole `weights` that are read over the link;
 * `layers`, all of them or their experts (`expertLayers`); `tensors` by name; or single `experts` of every layer.
 */
export const staticSplits = ["weights", "layers", "expertLayers", "tensors", "experts"] as const;
export type StaticSplit = (typeof staticSplits)[number];

/** What an engine has for weights that do not fit the devices. */
export interface EngineOffload {
  /** Whether experts come to the devices and leave them while it serves. */
  readonly cache: boolean;
  readonly static: readonly StaticSplit[];
  /** Whether the processors of the host compute the experts that lie in its memory. */
  readonly hostCompute: boolean;
  /** Of a layer call whose experts the host computes, beyond their kernels, ns: to its threads and back. */
  readonly hostCallNs: number;
  /** Whether the devices compute their experts of the layer meanwhile. */
  readonly besideDevices: boolean;
  /** Tokens of a step from which the experts of the host are copied to the devices and computed there; null: never. */
  readonly devicePromptTokens: number | null;
  /** Most experts of a token that may be added a layer later. */
  readonly deferredExpertsMax: number;
}

/**
 * How an engine multiplies quantised weights with many rows, and attends over prompts, by kernels of its own that no map of a
 * device has. Measured on CUDA GPUs, and in force on those alone.
 */
export interface OwnKernels {
  /** Rows of a product, or of one expert in it, above which its products are those of 8-bit integers. */
  readonly rowsAbove: number;
  /** Share of the int8 peak that these reach. */
  readonly integerCompute: number;
  /** Bytes that cross memory for every value that such a product takes or gives, in kernels beside it. */
  readonly bytesPerActivation: number;
  /** Share of the bf16 peak that attention over prompts reaches. */
  readonly attentionCompute: number;
  /** Devices that these figures were fitted on. */
  readonly devices: readonly string[];
}

/** How a serving engine spends time and schedules: the resolved numbers of its profile. */
export interface EngineProfile {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Time per step that the device waits for the host, ns: scheduling, batch building, sampling, detokenising. */
  readonly stepOverheadNs: number;
  /** The same per running sequence and step, ns. */
  readonly sequenceOverheadNs: number;
  /** From a request's arrival until the scheduler sees it, without tokenising, ns: HTTP, queues between processes. */
  readonly requestOverheadNs: number;
  /** Processes of a replica that take requests in and tokenise them: a count, or one per data-parallel rank. */
  readonly frontEnds: number | "perDataParallelRank";
  /** Time of a front end per prompt token before that, ns. It tokenises one request after the other. */
  readonly promptTokenOverheadNs: number;
  /** Further time per prompt token until the scheduler sees a request, ns. It keeps nobody busy: others pass by. */
  readonly promptTokenDelayNs: number;
  /** Cost of a step with prompt tokens beyond its kernels, ns: no captured graph, metadata of the prompts. */
  readonly prefillStepOverheadNs: number;
  /** Launch and gap time per kernel in steps replayed from captured graphs, ns. */
  readonly kernelOverheadNs: number;
  /** Host time to launch one kernel without captured graphs, ns: a step lasts at least as long as its launches. */
  readonly eagerLaunchNs: number;
  /** Whether decode steps are replayed from captured graphs. */
  readonly capturesGraphs: boolean;
  /** Kernels of the parts of a layer. A layer launches those of the parts that it has. */
  readonly layerKernels: Readonly<Record<KernelPart, number>>;
  /** Further kernels per product by the format of its weights: activations quantised, scales arranged, weights unpacked. */
  readonly formatKernels: Readonly<Record<KernelFormat, number>>;
  /**
   * Share that remains inside a served step of the excess that neighbouring kernels can hide, for kernels on decoded
   * tokens. The excess is what the kernel alone takes beyond what the peaks of the device allow.
   */
  readonly kernelExcess: number;
  /** Factor on all of the excess of kernels on prompt tokens. A mixed step takes the mean of both by tokens. */
  readonly prefillExcess: number;
  /** Kernels on prompts in place of those that maps and profiles of devices know; absent where these are the engine's. */
  readonly ownKernels?: OwnKernels;
  /** Time of collectives inside a served step over their time measured alone. */
  readonly collectiveFactor: number;
  /**
   * Query rows of a tile in the kernel for prompts, where decodes ride in its launch beside prompts (FlashAttention 2).
   * Each head of a decoding sequence takes a tile and uses one row. Absent where decodes have a launch of their own, or
   * where one tile packs all heads that share keys (FlashAttention 3).
   */
  readonly mixedDecodeRows?: number;
  /**
   * Sparse latent attention (DeepSeek-V3.2, GLM-5): prompts whose context is no longer are computed as dense attention,
   * expanded; 0 where every prompt goes through the sparse kernel.
   */
  readonly sparseDenseTokens: number;
  /** Whether shared experts run beside dispatch and routed experts. */
  readonly overlapsSharedExperts: boolean;
  /** Whether steps run as two half batches: dispatch and combine of one hide behind the computation of the other. */
  readonly overlapsBatches: boolean;
  /** Tokens that every busy rank has to exceed for that, in steps that only decode and in steps with prompts; else 1. */
  readonly halvedAbove?: { readonly decodes: number; readonly prompts: number };
  /** How the halves take turns, in steps that only decode and in steps with prompts; else as vLLM's. */
  readonly halfBatchOrder?: { readonly decodes: HalfBatchOrder; readonly prompts: HalfBatchOrder };
  /** Whether low-latency combining runs beside the last product of the routed experts. */
  readonly overlapsCombine?: boolean;
  /** Whether experts that an exchange library sends their tokens run in kernels made for it. */
  readonly sentExperts?: boolean;
  /** How tokens reach experts under attention data parallelism. */
  readonly expertExchange: ExpertExchange;
  /** Most tokens of a device in one low-latency dispatch. A step with more takes several. Absent: no limit. */
  readonly dispatchTokensMax?: number;
  /** Whether prefill chunks share a step with decodes; otherwise they run in steps of their own. */
  readonly mixesPrefillWithDecode: boolean;
  /** Whether a step is formed while the one before runs: a request waits for the step in flight and one more. */
  readonly schedulesAhead: boolean;
  readonly caches: CachePools;
  /** Whether it sets aside the cache of its whole context at start, and so does not start where that does not fit. */
  readonly reservesContext: boolean;
  /** Whether the input embedding stays in host memory, where the host has one of its own. */
  readonly embedsOnHost: boolean;
  /** Whether it sets logits of every token of its largest step aside, not those of the tokens that are sampled. */
  readonly reservesLogits: boolean;
  /** How it hands requests from a pool that prefills to one that decodes; null where it cannot. */
  readonly handover: Handover | null;
  /** What it has for weights that do not fit; null where its profile does not say. */
  readonly offload: EngineOffload | null;
  /**
   * Factors of single versions on the figures above, by version as measurements write it. `kernels` is on the excess of
   * kernels, `overheads` on launch and step overheads, `prefill` on the excess of kernels on prompt tokens once more.
   * {@link resolveEngine} applies them.
   */
  readonly versions: Readonly<
    Record<string, { readonly kernels: number; readonly overheads: number; readonly prefill: number }>
  >;
  readonly defaults: {
    readonly maxBatchTokens: number;
    readonly maxSequences: number;
    /** Steps without prompts after which a busy scheduler looks for new requests. */
    readonly recvInterval: number;
    readonly chunkedPrefill: boolean;
    readonly prefixCaching: boolean;
    readonly blockTokens: number;
    /** Share of device memory that the engine may use. */
    readonly memoryUtilisation: number;
  };
}
