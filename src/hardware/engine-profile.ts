/** How a serving engine spends time and schedules: resolved numbers of a `hardware/engines` profile. */
export interface EngineProfile {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Host time per step that the device waits for, ns. */
  readonly stepOverheadNs: number;
  /** Host time per running sequence and step, ns. */
  readonly sequenceOverheadNs: number;
  /** Launch and gap time per kernel, ns. */
  readonly kernelOverheadNs: number;
  /** Kernels per layer by attention kind, feed-forward included. */
  readonly kernelsPerLayer: {
    readonly gqa: number;
    readonly mla: number;
    readonly sparseMla: number;
    readonly linear: number;
  };
  /** Factors on kernel overhead for quantised kernels. */
  readonly fp8BlockFactor: number;
  readonly int4Factor: number;
  /** Whether host work of the next step runs beside the device (asynchronous scheduling). */
  readonly overlapsHost: boolean;
  /** Whether shared experts run beside dispatch and routed experts. */
  readonly overlapsSharedExperts: boolean;
  /** How tokens reach experts under attention data parallelism. */
  readonly expertExchange: "allToAll" | "allGatherReduceScatter";
  /** Whether prefill chunks share a step with decodes, or run in steps of their own. */
  readonly mixesPrefillWithDecode: boolean;
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
