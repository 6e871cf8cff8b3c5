/** Requests of a workload as parallel arrays, ordered by arrival. */
export interface RequestTable {
  readonly count: number;
  /** Arrival, integer ns from the start of the trace; non-decreasing. Of a request that waits for others, the earliest. */
  readonly arrivalNs: Float64Array;
  readonly promptTokens: Uint32Array;
  readonly outputTokens: Uint32Array;
  /** Class of each request (index into `classes`), used as a tag by SLOs. */
  readonly classOf: Uint16Array;
  readonly classes: readonly string[];
  /** Routing domain of each request (index into `domains`), or null if unlabelled. */
  readonly domainOf: Uint16Array | null;
  readonly domains: readonly string[];
  /**
   * Prefix blocks: request i holds block ids ids[offsets[i] .. offsets[i+1]); equal ids hold equal tokens. Where others
   * follow a request, the blocks of its answer may stand behind those of its prompt.
   */
  readonly prefix: { readonly blockTokens: number; readonly offsets: Uint32Array; readonly ids: Uint32Array } | null;
  /** Turns of conversations and requests of agents, which wait for others; absent where none does. */
  readonly turns?: Turns;
  readonly origin: {
    readonly kind: "recorded" | "generated";
    readonly name: string;
    readonly digest: string;
    /** Rejected rows, quantised timestamps, jitter: what a reader has to know. */
    readonly notes: readonly string[];
    /** What the file does not say and was taken for granted, and what may be wrong with that. */
    readonly assumptions?: readonly Assumption[];
  };
}

export interface Assumption {
  readonly topic: "arrival times" | "offered load" | "prefix blocks" | "turns";
  readonly detail: string;
}

/**
 * Request i waits until the requests previous[offsets[i] .. offsets[i+1]), which stand before it, are over, and then for
 * `waitNs[i]`; it arrives no earlier than the table says.
 */
export interface Turns {
  readonly offsets: Uint32Array;
  readonly previous: Uint32Array;
  readonly waitNs: Float64Array;
}
