import { refuse } from "../../../core/errors.ts";
import { absentIds, type ExpertIds } from "../../container/row-check.ts";
import type { PlaceColumn, TraceColumn } from "../../container/trace-tensors.ts";
import type { RoutingTraceWriter } from "../../container/write-trace.ts";
import { StreamKeys } from "./stream-keys.ts";
import type { TableCell } from "./table-cell.ts";
import type { TableLayout } from "./table-layout.ts";
import type { Stream, TableReading, TableShape } from "./table-shape.ts";

const seenBytesMax = 512 * 1024 * 1024;
const placesPerWrite = 1 << 14;

/** Second reading of a table: the same cells again, each to its place. */
export async function writeTable(
  writer: RoutingTraceWriter,
  cells: AsyncIterable<readonly TableCell[]>,
  shape: TableShape,
  reading: TableReading,
  layout: TableLayout,
  experts: number,
): Promise<void> {
  await writePlaces(writer, layout);
  const { topK, layers, unsure } = shape;
  const layerIndex = new Map(layers.map((layer, index) => [layer, index]));
  const streamOf = findStream(shape, reading);
  const told = new Bits(layout.ofCells.length > 0 ? layout.rows : 0);
  const seen = unsure.size > 0 ? new Bits(layout.rows * layers.length) : null;
  for await (const batch of cells)
    for (const cell of batch) {
      const stream = streamOf(cell);
      const layer = layerIndex.get(cell.layer);
      // What the first reading left out: layers that were not recorded.
      if (layer === undefined || stream === undefined) continue;
      const row = layout.rowOf(stream, cell.token);
      if (row === null) continue;
      if (seen !== null && unsure.has(stream.index) && seen.test(row * layers.length + layer))
        refuse({
          file: cell.file,
          line: cell.line,
          at: `layer ${cell.layer}`,
          expected: "each token once in a layer",
          found: `token ${cell.token} again`,
          hint: "rows of one token and layer have to follow one another; a column of vocabulary ids does not number tokens: map it as tokenId",
        });
      const ids = absentIds(topK, experts, topK, shape.short > 0);
      if (cell.ids.length < topK) ids.fill(experts, cell.ids.length);
      const weights = cell.weights === null ? null : new Float32Array(topK);
      fill(cell, topK, ids, weights);
      await writer.experts(layer, row, ids);
      if (weights !== null) await writer.weights(layer, row, weights);
      if (layout.ofCells.length > 0 && !told.test(row))
        for (const column of layout.ofCells) await writer.column(column, row, Uint32Array.of(toldBy(cell, column)));
    }
}

function toldBy(cell: TableCell, column: TableLayout["ofCells"][number]): number {
  switch (column) {
    case "position":
      return cell.position ?? cell.token;
    case "token":
      return cell.tokenId ?? 0;
    default:
      return cell[column] ?? 0;
  }
}

/** Ids and weights of a cell, the heaviest expert first. */
function fill(cell: TableCell, topK: number, intoIds: ExpertIds, intoWeights: Float32Array | null): void {
  // What is beyond are shared experts that the engine fuses with the routed ones.
  const ids = cell.ids.slice(0, topK);
  const weights = cell.weights;
  if (weights === null || intoWeights === null) {
    intoIds.set(ids);
    return;
  }
  const order = ids.map((_id, i) => i).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  for (const [place, i] of order.entries()) {
    intoIds[place] = ids[i] ?? 0;
    intoWeights[place] = weights[i] ?? 0;
  }
}

function findStream({ groups }: TableShape, reading: TableReading): (cell: TableCell) => Stream | undefined {
  const keys = new StreamKeys(reading);
  const known = new Map<string, Map<number, Stream>>();
  return (cell) => {
    const key = keys.groupKey(cell);
    // Groups are numbered by first appearance, in this reading as in the first.
    let streams = known.get(key);
    if (streams === undefined) {
      streams = new Map((groups[known.size]?.streams ?? []).map((stream) => [stream.step, stream]));
      known.set(key, streams);
    }
    return streams.get(keys.stepOf(key, cell));
  };
}

async function writePlaces(writer: RoutingTraceWriter, { columns, ofCells, places }: TableLayout): Promise<void> {
  const ofPlaces = columns.filter(
    (column): column is PlaceColumn => !(ofCells as readonly TraceColumn[]).includes(column),
  );
  let chunk: Readonly<Record<PlaceColumn, number>>[] = [];
  let written = 0;
  const flush = async () => {
    for (const column of ofPlaces)
      await writer.column(
        column,
        written,
        Uint32Array.from(chunk, (of) => of[column]),
      );
    written += chunk.length;
    chunk = [];
  };
  for (const place of places()) {
    chunk.push(place);
    if (chunk.length === placesPerWrite) await flush();
  }
  await flush();
}

/** One bit for each of so many things, false until it was asked for. */
class Bits {
  readonly #bytes: Uint8Array;

  constructor(count: number) {
    if (count > seenBytesMax * 8)
      refuse({
        file: "",
        expected: "rows in order of tokens in so large a table",
        found: "others",
        hint: "sort the rows by request, token and layer",
      });
    this.#bytes = new Uint8Array(Math.ceil(count / 8));
  }

  /** Whether it was set before; sets it. */
  test(at: number): boolean {
    const place = Math.floor(at / 8);
    const bit = 1 << (at % 8);
    const was = (this.#bytes[place]! & bit) !== 0;
    this.#bytes[place]! |= bit;
    return was;
  }
}
