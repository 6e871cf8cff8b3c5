import { fileSource, pieces } from "../../trace/byte-source.ts";
import { idBytes } from "../../trace/container/row-check.ts";
import type { RoutingTraceHeader } from "../../trace/container/trace-header.ts";
import { phases } from "../../trace/container/trace-tensors.ts";
import { type RoutingTraceWriter, writeRoutingTrace } from "../../trace/container/write-trace.ts";

/** Rows of a recording, sequence after sequence, grouped by domain. */
export interface RecordedRows {
  /** First row of each sequence, then the number of rows. */
  readonly starts: Uint32Array;
  /** Rows of each sequence that were given; those after them were generated. */
  readonly promptRows: Uint32Array;
  /** Index of the domain of each sequence. */
  readonly domainOf: Uint16Array;
}

/** What a trace says of its rows. */
export interface TraceRows extends RecordedRows {
  /** Token of each row, by its id in the vocabulary. */
  readonly tokens: Uint32Array;
}

/** Files that hold the routing of a layer, row after row: ids of the container's width, float32 weights and scores. */
export interface LayerFiles {
  readonly experts: string;
  readonly weights: string | null;
  readonly scores: string | null;
}

const rowsPerRead = 4096;

/**
 * Writes the trace of the layers of `header.layers` from their files. Weights and scores are kept in half precision.
 * Returns how many experts, over all layers, some row chose.
 */
export async function writeRecordedTrace(
  path: string,
  header: RoutingTraceHeader,
  rows: TraceRows,
  layers: readonly LayerFiles[],
): Promise<number> {
  const used = new Uint8Array(layers.length * header.experts);
  const topK = header.topK ?? 1;
  const layout = {
    header,
    rows: rows.starts.at(-1) ?? 0,
    columns: ["sequence", "position", "phase", "domain", "token"] as const,
    ...(layers[0]?.weights == null ? {} : { weights: "f16" as const }),
    ...(layers[0]?.scores == null ? {} : { scores: "f16" as const }),
  };
  await writeRoutingTrace(path, layout, async (writer) => {
    await writeColumns(writer, rows);
    for (const [layer, { experts, weights, scores }] of layers.entries()) {
      const width = idBytes(header.experts, topK);
      for await (const { row, bytes } of rowPieces(experts, topK * width)) {
        const ids = width === 1 ? bytes : new Uint16Array(bytes.buffer);
        await writer.experts(layer, row, ids);
        for (const id of ids) used[layer * header.experts + id] = 1;
      }
      if (weights !== null)
        for await (const { row, bytes } of rowPieces(weights, topK * 4))
          await writer.weights(layer, row, new Float32Array(bytes.buffer));
      if (scores !== null)
        for await (const { row, bytes } of rowPieces(scores, header.experts * 4))
          await writer.scores(layer, row, new Float32Array(bytes.buffer));
    }
  });
  return used.reduce((sum, one) => sum + one, 0);
}

/** A file of rows in blocks, each in an array of its own. */
async function* rowPieces(
  path: string,
  rowBytes: number,
): AsyncGenerator<{ row: number; bytes: Uint8Array<ArrayBuffer> }> {
  const source = await fileSource(path);
  try {
    let row = 0;
    for await (const piece of pieces(source, 0, source.bytes, rowsPerRead * rowBytes)) {
      yield { row, bytes: piece as Uint8Array<ArrayBuffer> };
      row += rowsPerRead;
    }
  } finally {
    await source.close();
  }
}

async function writeColumns(
  writer: RoutingTraceWriter,
  { starts, promptRows, domainOf, tokens }: TraceRows,
): Promise<void> {
  for (let s = 0; s + 1 < starts.length; s++) {
    const from = starts[s]!;
    const rows = starts[s + 1]! - from;
    await writer.column("sequence", from, new Uint32Array(rows).fill(s));
    await writer.column(
      "position",
      from,
      Uint32Array.from({ length: rows }, (_value, i) => i),
    );
    await writer.column("phase", from, new Uint32Array(rows).fill(phases.prefill).fill(phases.decode, promptRows[s]!));
    await writer.column("domain", from, new Uint32Array(rows).fill(domainOf[s]!));
    await writer.column("token", from, tokens.subarray(from, from + rows));
  }
}
