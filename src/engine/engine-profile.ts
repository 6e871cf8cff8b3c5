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
  /** Kernels per layer by attention kind, feed-forward included. */
  readonly kernelsPerLayer: {
    readonly gqa: number;
    readonly mla: number;
    readonly sparseMla: number;
    readonly linear: number;
  };
  /** Factors on a layer's number of kernels by expert format: quantised activations, scales, dequantisation. */
  readonly formatKernels: {
    readonly fp8Block: number;
    readonly int4: number;
    readonly nvfp4: number;
    readonly mxfp4: number;
  };
  /** Time of kernels inside a served step over their time measured alone. For kernels on decoded tokens. */
  readonly kernelFactor: number;
  /** The same for collectives. */
  readonly collectiveFactor: number;
  /** The same for kernels on prompt tokens. A mixed step takes the mean of both by tokens. */
  readonly prefillFactor: number;
  /** Time of decode attention in a step with prompt tokens over its time in a step without. */
  readonly mixedDecodeFactor: number;
  /**
   * Query rows of a tile in the kernel for prompts, where decodes share its launch. Each head of a decoding sequence
   * takes a tile and uses one row. Where this is known, grouped-query attention of mixed steps follows it and not
   * `mixedDecodeFactor`.
   */
  readonly mixedDecodeRows?: number;
  /** Whether shared experts run beside dispatch and routed experts. */
  readonly overlapsSharedExperts: boolean;
  /** Whether steps run as two half batches: dispatch and combine of one hide behind the computation of the other. */
  readonly overlapsBatches: boolean;
  /** How tokens reach experts under attention data parallelism. */
  readonly expertExchange: "allToAll" | "allGatherReduceScatter" | "deepep";
  /** Whether prefill chunks share a step with decodes; otherwise they run in steps of their own. */
  readonly mixesPrefillWithDecode: boolean;
  /** Whether a step is formed while the one before runs: a request waits for the step in flight and one more. */
  readonly schedulesAhead: boolean;
  readonly caches: CachePools;
  /**
   * Factors of single versions on the figures above, by version as measurements write it. `kernels` is on kernels,
   * `overheads` on launch and step overheads, `prefill` on kernels on prompt tokens once more. {@link resolveEngine}
   * applies them.
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
