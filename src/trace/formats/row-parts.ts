import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { absentIds } from "../container/row-check.ts";
import { type RoutingTraceHeader, type TraceProvenance, traceLimits } from "../container/trace-header.ts";
import { phases, type TraceColumn } from "../container/trace-tensors.ts";
import type { RoutingTraceWriter } from "../container/write-trace.ts";
import type { ImportedTrace, ImportOptions } from "./importer.ts";
import { type RowRun, rowsIn, WarmUpDetector } from "./warm-up.ts";

/** Rows as a source stores them: [rows][layers][topK], negative ids for what was not recorded. */
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
  readonly topK: number;
  readonly hasWeights: boolean;
  readonly columns: readonly TraceColumn[];
  readonly domains: readonly string[];
  readonly modelLayers: readonly number[];
  readonly model: string;
  readonly provenance: TraceProvenance;
  readonly warnings: readonly string[];
  /** Experts, where the source says so. */
  readonly experts?: number;
  /** False for sources in which equal rows are data. */
  readonly dropWarmUp: boolean;
}

/** First reading of a row-major source: finds warm-up and padding rows and the number of experts. */
export async function importRows(source: RowSource, options: ImportOptions): Promise<ImportedTrace> {
  checkShape(source);
  const dropped: (readonly RowRun[])[] = [];
  let rows = 0;
  let idMax = -1;
  for (const part of source.parts) {
    const scan = await scanPart(part, source);
    dropped.push(scan.dropped);
    rows += scan.rows - rowsIn(scan.dropped);
    idMax = Math.max(idMax, scan.idMax);
  }
  const droppedRows = dropped.reduce((sum, runs) => sum + rowsIn(runs), 0);
  const file = source.parts[0]?.file ?? "";
  if (rows === 0)
    refuse({ file, expected: "rows of routing", found: droppedRows > 0 ? "only warm-up or padding rows" : "none" });
  const warnings = [...source.warnings];
  const experts = expertCount(source.experts ?? options.experts, idMax, source.topK, file, warnings);
  if (droppedRows > 0) warnings.push(`${droppedRows} warm-up or padding rows were dropped, ${rows} are kept`);
  const header: RoutingTraceHeader = {
    kind: "tokens",
    model: options.model ?? source.model,
    experts,
    topK: source.topK,
    layers: source.modelLayers,
    domains: [...new Set(source.domains)],
    provenance: { ...source.provenance, droppedRows },
  };
  return {
    layout: { header, rows, columns: source.columns, ...(source.hasWeights ? { weights: "f32" } : {}) },
    warnings,
    write: (writer) => writeParts(writer, source, header, dropped),
  };
}

/** The number of experts: as stated, or one more than the largest id, with a warning. */
export function expertCount(
  stated: number | undefined,
  idMax: number,
  topK: number,
  file: string,
  warnings: string[],
): number {
  if (stated === undefined)
    warnings.push(`the number of experts is not stated: ${idMax + 1} taken from the largest id`);
  const experts = stated ?? Math.max(idMax + 1, topK);
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

function checkShape({ layers, topK, modelLayers, parts }: RowSource): void {
  const file = parts[0]?.file ?? "";
  if (layers < 1 || layers > traceLimits.layers)
    refuse({ file, expected: `1 to ${traceLimits.layers} layers`, found: layers });
  if (topK < 1 || topK > traceLimits.topK)
    refuse({ file, expected: `1 to ${traceLimits.topK} experts per token`, found: topK });
  const ascending = modelLayers.every((layer, i) => i === 0 || layer > (modelLayers[i - 1] ?? 0));
  if (modelLayers.length !== layers || !ascending)
    refuse({ file, at: "layers", expected: `${layers} ascending model layer numbers`, found: modelLayers });
}

async function scanPart(part: RowPart, { layers, topK, dropWarmUp }: RowSource) {
  const stride = layers * topK;
  const detector = new WarmUpDetector();
  const padding: RowRun[] = [];
  const problems: Problem[] = [];
  let idMax = -1;
  let rows = 0;
  for await (const block of part.blocks()) {
    for (let row = 0; row < block.rows && problems.length < 20; row++, rows++) {
      const ids = block.ids.subarray(row * stride, (row + 1) * stride);
      const recorded = checkRow(ids, topK);
      if (recorded === "partly")
        problems.push({
          file: part.file,
          at: `${part.at} row ${rows}`,
          expected: "all or none of a layer's ids negative",
        });
      if (recorded === "none") {
        const last = padding.at(-1);
        if (last?.to === rows) padding[padding.length - 1] = { from: last.from, to: rows + 1 };
        else padding.push({ from: rows, to: rows + 1 });
      }
      for (let i = 0; i < ids.length; i++) if (ids[i]! > idMax) idMax = ids[i]!;
      const weights = block.weights?.subarray(row * stride, (row + 1) * stride) ?? null;
      if (dropWarmUp) detector.push(ids, weights, topK);
    }
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return { rows, idMax, dropped: union(detector.finish(), padding) };
}

/** Whether the layers of a row were recorded: each fully or not at all, or some layer only in part. */
function checkRow(ids: Int32Array, topK: number): "some" | "none" | "partly" {
  let recorded = 0;
  for (let at = 0; at < ids.length; at += topK) {
    let negative = 0;
    for (let i = at; i < at + topK; i++) if (ids[i]! < 0) negative += 1;
    if (negative > 0 && negative < topK) return "partly";
    if (negative === 0) recorded += 1;
  }
  return recorded > 0 ? "some" : "none";
}

function union(a: readonly RowRun[], b: readonly RowRun[]): RowRun[] {
  const merged: RowRun[] = [];
  for (const run of [...a, ...b].sort((x, y) => x.from - y.from)) {
    const last = merged.at(-1);
    if (last !== undefined && run.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, run.to) };
    else merged.push(run);
  }
  return merged;
}

async function writeParts(
  writer: RoutingTraceWriter,
  source: RowSource,
  header: RoutingTraceHeader,
  dropped: readonly (readonly RowRun[])[],
): Promise<void> {
  const numberOf = new Map<number, number>();
  let written = 0;
  for (const [index, part] of source.parts.entries()) {
    const runs = dropped[index] ?? [];
    const domain = header.domains.indexOf(source.domains[part.domain] ?? "");
    let row = 0;
    let run = 0;
    for await (const block of part.blocks()) {
      const kept: number[] = [];
      for (let i = 0; i < block.rows; i++) {
        while ((runs[run]?.to ?? Number.POSITIVE_INFINITY) <= row + i) run += 1;
        if (row + i < (runs[run]?.from ?? Number.POSITIVE_INFINITY)) kept.push(i);
      }
      await writeLayers(writer, source, header, block, kept, written);
      await writeColumns(writer, source.columns, kept, written, (i) => {
        const place = part.place(row + i);
        let sequence = numberOf.get(place.sequence);
        if (sequence === undefined) {
          sequence = numberOf.size;
          numberOf.set(place.sequence, sequence);
        }
        return { position: 0, phase: phases.unknown, step: 0, slot: 0, ...place, sequence, domain };
      });
      row += block.rows;
      written += kept.length;
    }
  }
}

async function writeLayers(
  writer: RoutingTraceWriter,
  { layers, topK }: RowSource,
  header: RoutingTraceHeader,
  block: RowBlock,
  kept: readonly number[],
  fromRow: number,
): Promise<void> {
  for (let layer = 0; layer < layers; layer++) {
    const ids = absentIds(kept.length * topK, header.experts, topK);
    const weights = block.weights === null ? null : new Float32Array(ids.length);
    for (const [target, row] of kept.entries()) {
      const at = (row * layers + layer) * topK;
      if (block.ids[at]! < 0) continue;
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
export async function writeColumns<Row>(
  writer: RoutingTraceWriter,
  columns: readonly TraceColumn[],
  rows: readonly Row[],
  fromRow: number,
  place: (row: Row) => Readonly<Record<TraceColumn, number>>,
): Promise<void> {
  const places = rows.map(place);
  for (const column of columns)
    await writer.column(
      column,
      fromRow,
      Uint32Array.from(places, (of) => of[column]),
    );
}
