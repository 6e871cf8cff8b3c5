/**
 * Where an engine keeps what does not grow with the context for good. `shared`: in blocks of the pool of the KV cache;
 * `reserved`: for the most sequences, set aside at start; `full`: as if the window were the whole context; a number: in a
 * pool of its own.
 */
export interface CachePools {
  /** Of sliding windows. A number: tokens of their pool per token of the pool of full caches. */
  readonly windows: "shared" | "reserved" | "full" | number;
  /** Of windows that are chunks. */
  readonly chunks: "shared" | "reserved" | "full" | number;
  /** Of recurrent states. A number: bytes of their pool per byte of the others. */
  readonly states: "shared" | "reserved" | number;
  /** States that a running sequence has room for where prefixes are cached. */
  readonly statesPerSequence: number;
}

/** How a serving engine spends time and schedules: resolved numbers of a `hardware/engines` profile. */
export interface EngineProfile {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Time per step in which the device waits for the host, ns: scheduling, batch building, sampling, detokenising. */
  readonly stepOverheadNs: number;
  /** The same per running sequence and step, ns. */
  readonly sequenceOverheadNs: number;
  /** From a request's arrival to the scheduler seeing it, ns, tokenising apart: HTTP, queues between processes. */
  readonly requestOverheadNs: number;
  /** Front ends of a replica, processes that take requests in and tokenise them: so many, or one per data-parallel rank. */
  readonly frontEnds: number | "perDataParallelRank";
  /** Time of a front end per prompt token before that, ns: it tokenises one request after the other. */
  readonly promptTokenOverheadNs: number;
  /** Further time per prompt token until the scheduler sees a request, ns, in which nobody is kept busy: others pass by. */
  readonly promptTokenDelayNs: number;
  /** What a step that carries prompt tokens costs beyond its kernels, ns: no captured graph, metadata of the prompts. */
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
  /** Factors on the kernels of a layer whose experts are stored so: quantisation of activations, scales, dequantisation. */
  readonly formatKernels: {
    readonly fp8Block: number;
    readonly int4: number;
    readonly nvfp4: number;
    readonly mxfp4: number;
  };
  /** Time of kernels inside a served step over their time measured alone. */
  readonly kernelFactor: number;
  /** The same for collectives. */
  readonly collectiveFactor: number;
  /** The same for kernels on prompt tokens; a mixed step takes the mean of both by tokens. */
  readonly prefillFactor: number;
  /** Time of decode attention in a step that carries prompt tokens too, over its time in one that does not. */
  readonly mixedDecodeFactor: number;
  /**
   * Query rows of a tile in the kernel for prompts where decodes share its launch: each head of a decoding sequence takes
   * a tile and uses one row. Where it is known, grouped-query attention of mixed steps follows it instead of
   * `mixedDecodeFactor`.
   */
  readonly mixedDecodeRows?: number;
  /** Whether shared experts run beside dispatch and routed experts. */
  readonly overlapsSharedExperts: boolean;
  /** Whether steps run as two half batches, so that dispatch and combine of one hide behind the computation of the other. */
  readonly overlapsBatches: boolean;
  /** How tokens reach experts under attention data parallelism. */
  readonly expertExchange: "allToAll" | "allGatherReduceScatter" | "deepep";
  /** Whether prefill chunks share a step with decodes, or run in steps of their own. */
  readonly mixesPrefillWithDecode: boolean;
  readonly caches: CachePools;
  /**
   * Factors of single versions about the figures above, by version as measurements write it: on kernels, on launch and step
   * overheads, and on kernels on prompt tokens once more. {@link resolveEngine} applies them.
   */
  readonly versions: Readonly<
    Record<string, { readonly kernels: number; readonly overheads: number; readonly prefill: number }>
  >;
  readonly defaults: {
    readonly maxBatchTokens: number;
    readonly maxSequences: number;
    readonly chunkedPrefill: boolean;
    readonly prefixCaching: boolean;
    readonly blockTokens: number;
    /** Share of device memory the engine may use. */
    readonly memoryUtilisation: number;
  };
}
