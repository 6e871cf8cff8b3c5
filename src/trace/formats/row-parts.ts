import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { absentIds } from "../container/row-check.ts";
import { type RoutingTraceHeader, traceLimits } from "../container/trace-header.ts";
import { phases, type TraceColumn } from "../container/trace-tensors.ts";
import type { RoutingTraceWriter } from "../container/write-trace.ts";
import type { ImportedTrace, ImportOptions } from "./importer.ts";
import { keptLayers } from "./kept-layers.ts";
import { isRecorded, RecordedLayers } from "./recorded-layers.ts";
import type { RowBlock, RowSource } from "./row-source.ts";
import { failedCaptures, type PartScan, scanPart } from "./scan-rows.ts";
import { type RowRun, rowsIn } from "./warm-up.ts";

/** Layers of a top-1 row that hardly all choose expert 0. */
const paddedLayersMin = 8;

/** First reading of a row-major source: finds what of it is routing, warm-up and padding rows, and the number of experts. */
export async function importRows(source: RowSource, options: ImportOptions): Promise<ImportedTrace> {
  checkShape(source);
  const file = source.parts[0]?.file ?? "";
  const stated = {
    experts: agreed(source.stated?.experts, options.experts, file, "experts"),
    topK: agreed(source.stated?.topK, options.topK, file, "experts per token"),
  };
  const recorded = new RecordedLayers(source.layers, source.width);
  const scans: PartScan[] = [];
  const problems: Problem[] = [];
  for (const part of source.parts)
    scans.push(
      await scanPart(part, source, recorded, problems).catch((error: unknown) => {
        if (!(error instanceof InvalidInputError)) throw error;
        problems.push(...error.problems);
        return { rows: 0, recordedRows: 0, zeroRows: 0, dropped: [] };
      }),
    );
  problems.push(...failedCaptures(source, scans));
  if (problems.length > 0) throw new InvalidInputError(problems);
  const dropped = scans.map((scan) => scan.dropped);
  const droppedRows = dropped.reduce((sum, runs) => sum + rowsIn(runs), 0);
  const rows = scans.reduce((sum, scan) => sum + scan.rows, 0) - droppedRows;
  if (rows === 0)
    refuse({ file, expected: "rows of routing", found: droppedRows > 0 ? "only warm-up or padding rows" : "none" });
  const found: string[] = [];
  const kept = keptLayers(
    recorded.layers,
    source.inputLayers ?? source.modelLayers,
    recorded.rows,
    options,
    file,
    found,
  );
  const { topK, idMax, experts: fused } = recorded.columns(stated, found);
  if (stated.topK !== undefined && stated.topK !== topK)
    refuse({ file, expected: `${stated.topK} experts per token, as stated`, found: `${topK} ids per row` });
  const partly = kept.reduce((sum, layer) => sum + recorded.partlyZero(layer), 0);
  if (partly > 0)
    found.push(`${partly} rows of layers hold zeros among rows that do not: marked absent, as they were not recorded`);
  const zeroRows = scans.reduce((sum, scan) => sum + scan.zeroRows, 0);
  if (source.width === 1 && zeroRows > 0 && kept.length >= paddedLayersMin)
    found.push(
      `${zeroRows} rows are id 0 in all ${kept.length} layers, which padding would be: they are kept as tokens`,
    );
  const warnings = [...source.warnings, ...found];
  const experts = expertCount(stated.experts ?? fused, idMax, topK, file, warnings);
  if (droppedRows > 0) warnings.push(`${droppedRows} warm-up or padding rows were dropped, ${rows} are kept`);
  const header: RoutingTraceHeader = {
    kind: "tokens",
    model: options.model ?? source.model,
    experts,
    topK,
    layers: kept.map((layer) => source.modelLayers[layer]!),
    domains: [...new Set(source.domains)],
    provenance: { ...source.provenance, droppedRows, notes: [...source.provenance.notes, ...found] },
  };
  return {
    layout: { header, rows, columns: source.columns, ...(source.hasWeights ? { weights: "f32" } : {}) },
    warnings,
    write: (writer) => writeParts(writer, source, { header, kept, topK }, dropped),
  };
}

/** What a source and a person say of the same; refuses a contradiction. */
export function agreed(
  source: number | undefined,
  person: number | undefined,
  file: string,
  of: string,
): number | undefined {
  if (source !== undefined && person !== undefined && source !== person)
    refuse({ file, expected: `${person} ${of}, as stated`, found: `${source} by its own header` });
  return person ?? source;
}

/** The number of experts: as stated, or one more than the largest id, with a warning. */
export function expertCount(
  stated: number | undefined,
  idMax: number,
  topK: number,
  file: string,
  warnings: string[],
): number {
  const experts = stated ?? Math.max(idMax + 1, topK);
  if (stated === undefined)
    warnings.push(
      `the number of experts is not stated: ${experts} taken from the largest id (trace import --experts states it)`,
    );
  if (experts > traceLimits.experts || idMax >= experts)
    refuse({
      file,
      expected: `expert ids below ${stated ?? traceLimits.experts}`,
      found: idMax,
      hint: "physical and fused shared experts have to be mapped to logical routed experts first",
    });
  if (experts < topK) refuse({ file, expected: `at least ${topK} experts (one row has as many)`, found: experts });
  return experts;
}

function checkShape({ layers, width, modelLayers, parts }: RowSource): void {
  const file = parts[0]?.file ?? "";
  if (layers < 1 || layers > traceLimits.layers)
    refuse({ file, expected: `1 to ${traceLimits.layers} layers`, found: layers });
  if (width < 1 || width > traceLimits.topK)
    refuse({ file, expected: `1 to ${traceLimits.topK} experts per token`, found: width });
  const ascending = modelLayers.every((layer, i) => i === 0 || layer > (modelLayers[i - 1] ?? 0));
  if (modelLayers.length !== layers || !ascending)
    refuse({ file, at: "layers", expected: `${layers} ascending model layer numbers`, found: modelLayers });
}

/** What of a source is written: its header, the places of its layers, and how many ids of a row. */
interface KeptRouting {
  readonly header: RoutingTraceHeader;
  readonly kept: readonly number[];
  readonly topK: number;
}

async function writeParts(
  writer: RoutingTraceWriter,
  source: RowSource,
  routing: KeptRouting,
  dropped: readonly (readonly RowRun[])[],
): Promise<void> {
  const numberOf = new Map<number, number>();
  let written = 0;
  for (const [index, part] of source.parts.entries()) {
    const runs = dropped[index] ?? [];
    const domain = routing.header.domains.indexOf(source.domains[part.domain] ?? "");
    let row = 0;
    let run = 0;
    for await (const block of part.blocks()) {
      const kept: number[] = [];
      for (let i = 0; i < block.rows; i++) {
        while ((runs[run]?.to ?? Number.POSITIVE_INFINITY) <= row + i) run += 1;
        if (row + i < (runs[run]?.from ?? Number.POSITIVE_INFINITY)) kept.push(i);
      }
      await writeLayers(writer, source, routing, block, kept, written);
      await writeColumns(writer, source.columns, kept, written, (i) => {
        const place = part.place(row + i);
        let sequence = numberOf.get(place.sequence);
        if (sequence === undefined) {
          sequence = numberOf.size;
          numberOf.set(place.sequence, sequence);
        }
        return { position: 0, phase: phases.unknown, step: 0, slot: 0, token: 0, ...place, sequence, domain };
      });
      row += block.rows;
      written += kept.length;
    }
  }
}

async function writeLayers(
  writer: RoutingTraceWriter,
  { layers, width }: RowSource,
  { header, kept, topK }: KeptRouting,
  block: RowBlock,
  rows: readonly number[],
  fromRow: number,
): Promise<void> {
  for (const [layer, place] of kept.entries()) {
    const ids = absentIds(rows.length * topK, header.experts, topK);
    const weights = block.weights === null ? null : new Float32Array(ids.length);
    for (const [target, row] of rows.entries()) {
      const at = (row * layers + place) * width;
      if (!isRecorded(block.ids, at, width)) continue;
      for (let k = 0; k < topK; k++) {
        ids[target * topK + k] = block.ids[at + k]!;
        if (weights !== null) weights[target * topK + k] = block.weights?.[at + k] ?? 0;
      }
    }
    await writer.experts(layer, fromRow, ids);
    if (weights !== null) await writer.weights(layer, fromRow, weights);
  }
}

/** Writes the columns of the rows that `place` describes. */
export async function writeColumns<Row, Column extends TraceColumn>(
  writer: RoutingTraceWriter,
  columns: readonly Column[],
  rows: readonly Row[],
  fromRow: number,
  place: (row: Row) => Readonly<Record<Column, number>>,
): Promise<void> {
  const places = rows.map(place);
  for (const column of columns)
    await writer.column(
      column,
      fromRow,
      Uint32Array.from(places, (of) => of[column]),
    );
}
