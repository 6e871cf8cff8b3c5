import { absentIds, type ExpertIds } from "./container/row-check.ts";
import { phases, type RoutingTraceLayout } from "./container/trace-tensors.ts";
import { type RoutingTraceWriter, writeRoutingTrace } from "./container/write-trace.ts";
import { countsOf } from "./load-counts.ts";
import { noExpertId, type RoutingTable } from "./routing-table.ts";

const rowsPerWrite = 4096;

/**
 * Writes a table as a tokens trace: ids per layer, sequence, position, phase and domain per token, and the token itself where it was
 * recorded; positions count from 0 unless recorded.
 */
export async function saveRoutingTable(table: RoutingTable, model: string, path: string): Promise<void> {
  const fewer = table.ids.includes(noExpertId(table));
  const layout: RoutingTraceLayout = {
    header: { ...headerOf(table, model, "tokens"), ...(fewer ? { fewer } : {}) },
    rows: table.rows,
    columns: ["sequence", "position", "phase", "domain", ...(table.tokens === undefined ? [] : ["token" as const])],
  };
  await writeRoutingTrace(path, layout, async (writer) => {
    await writeColumns(table, writer);
    for (let layer = 0; layer < table.layers; layer++)
      for (let from = 0; from < table.rows; from += rowsPerWrite)
        await writer.experts(
          layer,
          from,
          layerRows(table, layer, from, Math.min(table.rows, from + rowsPerWrite), fewer),
        );
  });
}

/** Writes what a table adds up to as a counts trace of one step. */
export async function saveCounts(table: RoutingTable, model: string, path: string): Promise<void> {
  const layout: RoutingTraceLayout = { header: headerOf(table, model, "counts"), rows: 1, columns: [] };
  await writeRoutingTrace(path, layout, (writer) => writer.counts(0, countsOf(table).counts));
}

function headerOf(table: RoutingTable, model: string, kind: "tokens" | "counts"): RoutingTraceLayout["header"] {
  const { origin } = table;
  const sequences = table.sequenceStarts.length - 1;
  return {
    kind,
    model,
    experts: table.experts,
    topK: table.topK,
    layers: table.modelLayers,
    domains: table.domains,
    provenance: {
      origin: origin.kind,
      source: origin.name,
      files: [{ name: origin.name, sha256: origin.digest }],
      grouping: kind === "tokens" ? `${sequences} sequences, by domain` : "all tokens in one step",
      droppedRows: 0,
      notes: origin.notes,
    },
  };
}

async function writeColumns(table: RoutingTable, writer: RoutingTraceWriter): Promise<void> {
  const sequence = new Uint32Array(table.rows);
  const position = table.positions ?? new Uint32Array(table.rows);
  const domain = new Uint32Array(table.rows);
  for (let s = 0; s + 1 < table.sequenceStarts.length; s++) {
    const from = table.sequenceStarts[s]!;
    for (let row = from; row < table.sequenceStarts[s + 1]!; row++) {
      sequence[row] = s;
      if (table.positions === undefined) position[row] = row - from;
    }
  }
  for (let d = 0; d < table.domains.length; d++) domain.fill(d, table.domainStarts[d]!, table.domainStarts[d + 1]!);
  const { phase } = table.origin;
  const code = phase === "prefill" ? phases.prefill : phase === "decode" ? phases.decode : phases.unknown;
  await writer.column("sequence", 0, sequence);
  await writer.column("position", 0, position);
  await writer.column("phase", 0, Uint32Array.from(table.phases ?? new Uint8Array(table.rows).fill(code)));
  await writer.column("domain", 0, domain);
  if (table.tokens !== undefined) await writer.column("token", 0, table.tokens);
}

function layerRows(table: RoutingTable, layer: number, from: number, to: number, fewer: boolean): ExpertIds {
  const { layers, topK, ids } = table;
  const out = absentIds((to - from) * topK, table.experts, topK, fewer);
  for (let row = from; row < to; row++) {
    const at = (row * layers + layer) * topK;
    out.set(ids.subarray(at, at + topK), (row - from) * topK);
  }
  return out;
}
