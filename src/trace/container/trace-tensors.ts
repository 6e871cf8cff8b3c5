import { idBytes } from "./row-check.ts";
import type { TensorDtype } from "./safetensors.ts";
import type { RoutingTraceHeader } from "./trace-header.ts";

/** Per-row facts a trace may carry, with the type each is stored in. */
export const traceColumns = {
  /** Sequence (request) of the row, numbered from 0 by first appearance. */
  sequence: "U32",
  /** Token position inside the sequence, from 0. */
  position: "U32",
  /** See {@link phases}. */
  phase: "U8",
  /** Engine step that computed the row. */
  step: "U32",
  /** Place of the row in the batch of its step. */
  slot: "U32",
  /** Index into the header's `domains`. */
  domain: "U16",
  /** Id of the token in the vocabulary of the model. */
  token: "U32",
} as const satisfies Record<string, TensorDtype>;

export type TraceColumn = keyof typeof traceColumns;
/** Columns that say where a row belongs rather than what it holds: those that importers fill. */
export type PlaceColumn = Exclude<TraceColumn, "token">;

/** Codes of the `phase` column. */
export const phases = { unknown: 0, prefill: 1, decode: 2 } as const;

export type FloatWidth = "f16" | "f32";

/** Which tensors a trace has and how long they are. */
export interface RoutingTraceLayout {
  readonly header: RoutingTraceHeader;
  /** Rows of a tokens trace, steps of a counts trace. */
  readonly rows: number;
  /** Columns present; *tokens* must have `sequence`, *counts* may have `step` and `domain`. */
  readonly columns: readonly TraceColumn[];
  /** Router weights of the chosen experts: [rows, topK] per layer. */
  readonly weights?: FloatWidth;
  /** Router scores of all experts: [rows, experts] per layer. */
  readonly scores?: FloatWidth;
}

export interface TraceTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/** The tensors that a layout consists of, in file order: columns first, then layer after layer. */
export function tensorsOf(layout: RoutingTraceLayout): TraceTensor[] {
  const { header, rows } = layout;
  const tensors: TraceTensor[] = layout.columns.map((name) => ({ name, dtype: traceColumns[name], shape: [rows] }));
  if (header.kind === "counts") {
    tensors.push({ name: "counts", dtype: "U32", shape: [rows, header.layers.length, header.experts] });
    return tensors;
  }
  const topK = header.topK ?? 1;
  for (const layer of header.layers) {
    tensors.push({
      name: `experts.${layer}`,
      dtype: idBytes(header.experts, topK, header.fewer) === 1 ? "U8" : "U16",
      shape: [rows, topK],
    });
    if (layout.weights !== undefined)
      tensors.push({ name: `weights.${layer}`, dtype: floatDtype(layout.weights), shape: [rows, topK] });
    if (layout.scores !== undefined)
      tensors.push({ name: `scores.${layer}`, dtype: floatDtype(layout.scores), shape: [rows, header.experts] });
  }
  return tensors;
}

function floatDtype(width: FloatWidth): "F16" | "F32" {
  return width === "f16" ? "F16" : "F32";
}
