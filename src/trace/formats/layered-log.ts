import { refuse } from "../../core/errors.ts";
import { idBytes } from "../container/row-check.ts";
import { type TraceProvenance, traceLimits } from "../container/trace-header.ts";
import { type PlaceColumn, phases } from "../container/trace-tensors.ts";
import type { RoutingTraceWriter } from "../container/write-trace.ts";
import type { ImportedTrace, ImportOptions } from "./importer.ts";
import { RecordedLayers } from "./recorded-layers.ts";
import { agreed, expertCount, writeColumns } from "./row-parts.ts";
import { commonRuns, type RowRun, rowAfterDropping, rowsIn, WarmUpDetector } from "./warm-up.ts";

/** One line of a log that records a single layer of a single token. */
export interface LogCell {
  readonly file: string;
  readonly line: number;
  /** Stretch of tokens the cell belongs to, numbered from 0 by first appearance. */
  readonly stream: number;
  /** Model layer. */
  readonly layer: number;
  /** Token of the stream, ascending within a stream and layer. */
  readonly token: number;
  readonly ids: readonly number[];
  readonly weights: readonly number[] | null;
}

/** What the first reading of a log found. */
export interface LogShape {
  readonly layers: readonly number[];
  readonly topK: number;
  readonly experts: number;
  readonly hasWeights: boolean;
  /** Tokens of each stream, warm-up rows included. */
  readonly tokens: readonly number[];
  /** Warm-up rows of each stream. */
  readonly dropped: readonly (readonly RowRun[])[];
  readonly droppedRows: number;
  readonly rows: number;
  /** Layer rows that are missing in the kept rows. */
  readonly missing: number;
}

/** Progress of one layer of one stream. */
interface Track {
  tokens: number;
  cells: number;
  readonly detector: WarmUpDetector;
}

/** A log may skip tokens, but not so many that the trace would be mostly empty. */
const cellsMissingMax = 0.5;

/** Numbers of experts that a log states. */
export interface LogStatement {
  readonly experts: number | undefined;
  readonly topK: number | undefined;
}

/**
 * First reading of a log, in whatever order its lines are; warnings are appended. `stated` is asked after the last line
 * for what the log says of itself.
 */
export async function scanLog(
  cells: AsyncIterable<LogCell>,
  options: ImportOptions,
  warnings: string[],
  stated: () => LogStatement = () => ({ experts: undefined, topK: undefined }),
): Promise<LogShape> {
  const tracks: Map<number, Track>[] = [];
  const layers = new Set<number>();
  let first: LogCell | null = null;
  let recorded = new RecordedLayers(1, 1);
  for await (const cell of cells) {
    if (first === null) recorded = new RecordedLayers(1, cell.ids.length);
    first ??= cell;
    const { file, line, stream, layer, token, ids, weights } = cell;
    if (ids.length !== first.ids.length || (weights === null) !== (first.weights === null))
      refuse({
        file,
        line,
        expected: `${first.ids.length} experts per row, with weights in all rows or none`,
        found: ids,
      });
    if (new Set(ids).size !== ids.length) refuse({ file, line, expected: "different experts", found: ids });
    layers.add(layer);
    if (layers.size > traceLimits.layers || layer >= 1e6)
      refuse({
        file,
        line,
        at: "layer",
        expected: `at most ${traceLimits.layers} layers, numbered below 10^6`,
        found: layer,
      });
    while (tracks.length <= stream) tracks.push(new Map());
    let track = tracks[stream]?.get(layer);
    if (track === undefined) {
      track = { tokens: 0, cells: 0, detector: new WarmUpDetector() };
      tracks[stream]?.set(layer, track);
    }
    if (token < track.tokens || token >= 0xffff_ffff)
      refuse({ file, line, at: `layer ${layer}`, expected: `a token from ${track.tokens} on`, found: token });
    track.tokens = token + 1;
    track.cells += 1;
    track.detector.push(ids, weights, ids.length);
    recorded.push(Int32Array.from(ids));
  }
  if (first === null) refuse({ file: "", expected: "at least one row of routing", found: "none" });

  const streams = tracks.map((byLayer) => summariseStream(byLayer, layers.size));
  const cellCount = tracks.reduce(
    (sum, byLayer) => sum + [...byLayer.values()].reduce((n, track) => n + track.cells, 0),
    0,
  );
  const tokens = streams.map((stream) => stream.tokens);
  const grid = tokens.reduce((sum, n) => sum + n, 0) * layers.size;
  if (cellCount < grid * cellsMissingMax)
    refuse({
      file: first.file,
      expected: "rows for at least half of all tokens and layers",
      found: `${cellCount} of ${grid}`,
    });
  const droppedRows = streams.reduce((sum, { dropped }) => sum + rowsIn(dropped), 0);
  const rows = tokens.reduce((sum, n) => sum + n, 0) - droppedRows;
  if (rows === 0) refuse({ file: first.file, expected: "rows of routing", found: "only warm-up rows" });
  if (droppedRows > 0) warnings.push(`${droppedRows} warm-up rows were dropped, ${rows} are kept`);
  const says = stated();
  const experts = agreed(says.experts, options.experts, first.file, "experts");
  const topKStated = agreed(says.topK, options.topK, first.file, "experts per token");
  const { topK, idMax, experts: fused } = recorded.columns({ experts, topK: topKStated }, warnings);
  if (topKStated !== undefined && topKStated !== topK)
    refuse({ file: first.file, expected: `${topKStated} experts per token, as stated`, found: `${topK} ids per row` });
  return {
    layers: [...layers].sort((a, b) => a - b),
    topK,
    experts: expertCount(experts ?? fused, idMax, topK, first.file, warnings),
    hasWeights: first.weights !== null,
    tokens,
    dropped: streams.map((stream) => stream.dropped),
    droppedRows,
    rows,
    missing: grid - cellCount,
  };
}

function summariseStream(byLayer: ReadonlyMap<number, Track>, layers: number) {
  const tracks = [...byLayer.values()];
  const complete = tracks.length === layers && tracks.every(({ tokens, cells }) => tokens === cells);
  const runs = tracks.map(({ detector }) => detector.finish());
  return {
    tokens: Math.max(...tracks.map((track) => track.tokens)),
    // Runs count lines; they are tokens only where no line is missing before them.
    dropped: complete ? commonRuns(runs) : [],
  };
}

/** Where a kept row belongs. */
export interface LogPlace {
  readonly sequence: number;
  readonly position?: number;
  readonly phase?: number;
  readonly step?: number;
  readonly slot?: number;
  readonly domain: number;
}

export interface LogTrace {
  readonly shape: LogShape;
  readonly model: string;
  readonly domains: readonly string[];
  readonly provenance: TraceProvenance;
  readonly columns: readonly PlaceColumn[];
  readonly warnings: readonly string[];
  /** Second reading: the same cells again. */
  readonly cells: () => AsyncIterable<LogCell>;
  /** Place of the kept row `row` of a stream; sequences are numbered by first appearance. */
  readonly place: (stream: number, row: number) => LogPlace;
}

/** The trace that a scanned log becomes. */
export function importLog(log: LogTrace): ImportedTrace {
  const { shape, model, domains, provenance, columns, warnings } = log;
  return {
    layout: {
      header: {
        kind: "tokens",
        model,
        experts: shape.experts,
        topK: shape.topK,
        layers: shape.layers,
        domains,
        provenance: { ...provenance, droppedRows: shape.droppedRows },
      },
      rows: shape.rows,
      columns,
      ...(shape.hasWeights ? { weights: "f32" } : {}),
    },
    warnings,
    async write(writer) {
      await writePlaces(writer, log);
      await writeCells(writer, log);
    },
  };
}

const placesPerWrite = 1 << 14;

async function writePlaces(writer: RoutingTraceWriter, { shape, columns, place }: LogTrace): Promise<void> {
  let written = 0;
  for (const [stream, tokens] of shape.tokens.entries()) {
    const rows = tokens - rowsIn(shape.dropped[stream] ?? []);
    for (let from = 0; from < rows; from += placesPerWrite) {
      const chunk = Array.from({ length: Math.min(placesPerWrite, rows - from) }, (_value, i) => from + i);
      await writeColumns(writer, columns, chunk, written, (row) => ({
        position: 0,
        phase: phases.unknown,
        step: 0,
        slot: 0,
        ...place(stream, row),
      }));
      written += chunk.length;
    }
  }
}

async function writeCells(writer: RoutingTraceWriter, { shape, cells }: LogTrace): Promise<void> {
  const firstRow: number[] = [];
  let rows = 0;
  for (const [stream, tokens] of shape.tokens.entries()) {
    firstRow.push(rows);
    rows += tokens - rowsIn(shape.dropped[stream] ?? []);
  }
  const layerIndex = new Map(shape.layers.map((layer, index) => [layer, index]));
  const narrow = idBytes(shape.experts, shape.topK) === 1;
  for await (const cell of cells()) {
    const row = rowAfterDropping(cell.token, shape.dropped[cell.stream] ?? []);
    if (row === null) continue;
    const layer = layerIndex.get(cell.layer) ?? 0;
    const target = (firstRow[cell.stream] ?? 0) + row;
    const ids = cell.ids.slice(0, shape.topK);
    await writer.experts(layer, target, narrow ? Uint8Array.from(ids) : Uint16Array.from(ids));
    if (cell.weights !== null)
      await writer.weights(layer, target, Float32Array.from(cell.weights.slice(0, shape.topK)));
  }
}

/** Absent rows that a log leaves, in words for the header; null when there are none. */
export function missingNote({ missing, layers, rows }: LogShape): string | null {
  if (missing === 0) return null;
  return (
    `${missing} of ${rows * layers.length} layer rows are missing in the log and marked absent; ` +
    "tokens of different layers may be misaligned by as many places"
  );
}
