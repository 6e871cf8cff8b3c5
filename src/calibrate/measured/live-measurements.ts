/** A time measured repeatedly: the median, and how far apart the middle half of the samples lies, over the median. */
export interface Timed {
  readonly ns: number;
  readonly spread: number;
  readonly samples: number;
}

/** The expert layers that are executed: float32 experts of one shape behind a router. */
export interface LiveShape {
  readonly hidden: number;
  /** Intermediate width of an expert. */
  readonly width: number;
  readonly experts: number;
}

/**
 * Scatter of the time of one and the same work on this machine: other work, collections of garbage, clocks. `ratios` are
 * quantiles of time over median at equal steps of probability, ascending.
 */
export interface CallNoise {
  /** Median time of the work. */
  readonly ns: number;
  readonly ratios: readonly number[];
}

/** What `calibrate --live` measured of a machine through one backend; times include what the runtime adds to kernels. */
export interface LiveMeasurements {
  readonly backend: {
    readonly id: string;
    readonly device: string;
    readonly hardware: "gpu" | "cpu" | "software";
    /** Memory that tensors may take; null where the backend does not say. */
    readonly memoryBytes: number | null;
    readonly versions: Readonly<Record<string, string>>;
  };
  /** Day of the measurement, YYYY-MM-DD. */
  readonly date: string;
  /** Memory of the host. */
  readonly hostBytes: number;
  readonly shape: LiveShape;
  /** Tokens in a step at which layers and steps were measured. */
  readonly tokens: number;
  /** A step apart from its layers: input up, result back. */
  readonly step: Timed;
  /** A layer without its experts: norm, router product and its readback, residual sum. */
  readonly layer: Timed;
  /** One resident expert more in a layer call, by its rows. */
  readonly experts: readonly (Timed & { readonly rows: number })[];
  /**
   * What a missing expert adds to a resident one: upload, first use, release of what it replaces; by bytes of an expert,
   * those of the shape first.
   */
  readonly fetches: readonly (Timed & { readonly bytes: number; readonly shape: LiveShape })[];
  /** Dense products, one of several. */
  readonly products: readonly (Timed & {
    readonly tokens: number;
    readonly inputWidth: number;
    readonly outputWidth: number;
  })[];
  /** Plain copies between host and device. */
  readonly copies: readonly (Timed & { readonly bytes: number; readonly direction: "hostToDevice" | "deviceToHost" })[];
  /** Reads of a file, one block each: from the page cache (warm) or past it (cold). */
  readonly disk: readonly (Timed & { readonly bytes: number; readonly cache: "warm" | "cold" })[];
  /** Why cold reads are missing; null where they are not. */
  readonly diskNote: string | null;
  /** An addition over a large tensor: three times its bytes cross the device's memory. */
  readonly deviceMemory: Timed & { readonly bytes: number };
  /** A copy of a large array: twice its bytes cross the host's memory. */
  readonly hostMemory: Timed & { readonly bytes: number };
  /** How single calls scatter about their median, by the median of what was called; see {@link CallNoise}. */
  readonly noise: readonly CallNoise[];
  /** One operation on a few numbers, as one of many. */
  readonly launch: Timed;
  /** Waiting for the device and reading one value back. */
  readonly readBack: Timed;
}
