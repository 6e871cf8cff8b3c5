import type { TraceProvenance } from "../container/trace-header.ts";
import type { TraceColumn } from "../container/trace-tensors.ts";

/** Rows as a source stores them: [rows][layers][width], see isRecorded for what was not. */
export interface RowBlock {
  readonly rows: number;
  readonly ids: Int32Array;
  readonly weights: Float32Array | null;
}

export interface RowPlace {
  /** Unique over all parts; numbered anew in the trace. */
  readonly sequence: number;
  readonly position?: number;
  readonly phase?: number;
  readonly step?: number;
  readonly slot?: number;
  /** Id of the token in the vocabulary. */
  readonly token?: number;
}

/** A stretch of rows of one domain, such as one array; read twice. */
export interface RowPart {
  readonly file: string;
  /** Array or place inside the file. */
  readonly at: string;
  readonly domain: number;
  blocks(): AsyncGenerator<RowBlock>;
  place(row: number): RowPlace;
}

/** A source whose rows hold all their layers side by side. */
export interface RowSource {
  readonly parts: readonly RowPart[];
  readonly layers: number;
  /** Ids in a row of a layer. */
  readonly width: number;
  readonly hasWeights: boolean;
  readonly columns: readonly TraceColumn[];
  readonly domains: readonly string[];
  /** Model layer number of each layer of the source. */
  readonly modelLayers: readonly number[];
  /** Numbers that the source itself gives them, where they are others. */
  readonly inputLayers?: readonly number[];
  readonly model: string;
  readonly provenance: TraceProvenance;
  readonly warnings: readonly string[];
  /** Experts and experts per token, where the source says so. */
  readonly stated?: { readonly experts?: number | undefined; readonly topK?: number | undefined };
  /** False for sources in which equal rows are data. */
  readonly dropWarmUp: boolean;
}
