/**
 * Recorded (or synthesised) routing in the layout replay reads: one row per token, all its layers side by side.
 * Rows are grouped by domain; inside a domain they keep recorded order, sequence after sequence.
 */
export interface RoutingTable {
  readonly experts: number;
  readonly topK: number;
  /** MoE layers recorded. */
  readonly layers: number;
  readonly rows: number;
  /**
   * [rows][layers][topK] expert ids in stored order: descending router weight where a table or `capture` had them. A choice without
   * an expert has the id `experts` ({@link noExpertId}): transforms make them, and recordings whose rows have fewer than k.
   */
  readonly ids: Uint8Array | Uint16Array;
  /** [rows][layers][topK] router weights of the choices, where they were recorded and asked for. */
  readonly weights?: Float32Array;
  /** [rows][layers][experts] router scores of all experts, where they were recorded and asked for. */
  readonly scores?: Float32Array;
  /** [rows] position of each row in its sequence, and its phase (`phases` of the container), where they were recorded. */
  readonly positions?: Uint32Array;
  readonly phases?: Uint8Array;
  /** [rows] id of the token in the model's vocabulary, where it was recorded. */
  readonly tokens?: Uint32Array;
  /** [layers][experts] 1 for each expert that the model still has, where transforms took others out of it; absent: all. */
  readonly kept?: Uint8Array;
  /** [layers][experts] the kept expert that each was merged into, itself where it was not, {@link noExpertId} where that has no weights; absent: none was. */
  readonly mergedInto?: Uint16Array;
  /** First row of each sequence, ascending, then `rows`. A sequence never crosses a domain. */
  readonly sequenceStarts: Uint32Array;
  readonly domains: readonly string[];
  /** First row of each domain, then `rows`: [domains + 1]. */
  readonly domainStarts: Uint32Array;
  /** Model layer of each recorded layer, where the trace says so. */
  readonly modelLayers: readonly number[];
  readonly origin: RoutingOrigin;
}

/** Id of a choice that no expert computes: what a transform took away, or a token never made. */
export const noExpertId = ({ experts }: { readonly experts: number }): number => experts;

/** Counters of a layer when choices are counted by id: one per expert, and one for choices without an expert. */
export const idsPerLayer = ({ experts }: { readonly experts: number }): number => experts + 1;

/** Where routing came from, as the fidelity ledger prints it. */
export interface RoutingOrigin {
  readonly kind: "recorded" | "synthesised";
  readonly name: string;
  /** sha256 of the source bytes, or of the statistics a generator was given. */
  readonly digest: string;
  /** Rows in the source; `rows` of the table may be fewer under a memory budget. */
  readonly sourceRows: number;
  readonly phase: "prefill" | "decode" | "mixed" | "unknown";
  /** What a reader has to know: dropped warm-up rows, grouping, alignment. */
  readonly notes: readonly string[];
}

/** Aggregated routing: tokens per (step, layer, expert). Feeds popularity and placement; cache replay refuses it. */
export interface CountsTable {
  readonly steps: number;
  readonly layers: number;
  readonly experts: number;
  readonly topK: number | null;
  /** [steps][layers][experts] */
  readonly counts: Uint32Array;
  readonly modelLayers: readonly number[];
  readonly origin: RoutingOrigin;
}
