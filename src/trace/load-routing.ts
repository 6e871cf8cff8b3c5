import { refuse } from "../core/errors.ts";
import type { RoutingTraceFile } from "./container/open-trace.ts";
import { absentIds, type ExpertIds, isAbsent } from "./container/row-check.ts";
import { noExpertId, type RoutingOrigin, type RoutingTable } from "./routing-table.ts";
import { changedColumns, type RowColumns, type ShapedRows, viewOfRows } from "./row-columns.ts";
import { scanSequences } from "./scan-sequences.ts";
import { selectSequences } from "./select-sequences.ts";

export interface LoadRoutingOptions {
  /** Bytes the columns of the table may take; a larger trace is loaded in part. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Rows to load at most, for computations whose time grows with them. */
  readonly rowsMax?: number;
  /** What is loaded beside the ids, where the trace has it. */
  readonly also?: ReadonlySet<"weights" | "scores">;
  /** Copies of the choices that have to fit beside the table: transforms write them. */
  readonly copies?: number;
  /** Recorded layers to load, as indices into the header's `layers`; all by default. */
  readonly layers?: readonly number[];
}

/**
 * Loads a tokens trace into the layout that replay reads: rows grouped by domain, sequences whole and in the order they
 * begin, ids as [row][layer][k]. Rows that a chosen layer did not record are left out and counted. Memory is bounded
 * by `bytesMax` plus a few bytes per sequence, whatever the size of the file; the notes say what was left out.
 */
export async function loadRoutingTable(
  file: RoutingTraceFile,
  options: LoadRoutingOptions = {},
): Promise<RoutingTable> {
  const { header } = file;
  const topK = header.topK;
  if (header.kind !== "tokens" || topK === null)
    refuse({
      file: file.name,
      expected: "a tokens trace",
      found: `a ${header.kind} trace`,
      hint: "counts have no order of tokens: they feed popularity and placement, not replay",
    });
  const layers = chosenLayers(file, options.layers);
  const scan = await scanSequences(file);
  const shape = { layers: layers.length, topK, experts: header.experts };
  const row = emptyRows(file, shape, options, 1);
  const copyBytes = layers.length * topK * (noExpertId(header) > 0xff ? 2 : 1) + (row.weights?.byteLength ?? 0);
  const rowBytes = bytesOf(row) + (options.copies ?? 0) * copyBytes;
  const rowsInMemory = Math.max(1, Math.floor((options.bytesMax ?? 256 * 1024 * 1024) / rowBytes));
  const rowsMax = options.rowsMax ?? rowsInMemory;
  const selection = selectSequences(scan, Math.min(rowsInMemory, rowsMax));

  const order = placeSequences(scan.domainOf, selection.rows, header.domains.length);
  const columns = emptyRows(file, shape, options, selection.rowsTotal);
  const absent = await fillTable(file, layers, selection.rows, order.starts, columns);
  const kept = dropRows(columns, absent, order);
  if (kept.rows === 0)
    refuse({ file: file.name, expected: "at least one row that every chosen layer recorded", found: "none" });

  const { provenance } = header;
  const notes = [...provenance.notes];
  if (provenance.partial !== undefined) notes.push(`the recording ended early: ${provenance.partial}`);
  if (provenance.droppedRows > 0)
    notes.push(`${provenance.droppedRows} warm-up or padding rows were dropped on import`);
  notes.push(`sequences: ${provenance.grouping}`);
  const absentRows = selection.rowsTotal - kept.rows;
  if (absentRows > 0) notes.push(`${absentRows} rows were left out: some layer did not record them`);
  if (layers.length < header.layers.length)
    notes.push(`${layers.length} of ${header.layers.length} layers were loaded`);
  if (selection.rowsTotal < file.rows) {
    const sequences = selection.rows.filter((rows) => rows > 0).length;
    const cut = selection.cut > 0 ? `, ${selection.cut} of them cut short` : "";
    notes.push(
      `${selection.rowsTotal} of ${file.rows} rows ${rowsMax < rowsInMemory ? "were taken" : "fit the memory budget"}: ` +
        `${sequences} of ${scan.lengths.length} sequences, spread over domains and time${cut}`,
    );
  }
  return {
    ...shape,
    rows: kept.rows,
    ...kept.columns,
    sequenceStarts: kept.sequenceStarts,
    domains: header.domains,
    domainStarts: kept.domainStarts,
    modelLayers: layers.map((layer) => header.layers[layer] ?? layer),
    origin: await originOf(file, scan.phase, notes),
  };
}

/** Room for rows: ids, positions, phases and tokens where the trace has them, and what else is asked for. */
function emptyRows(
  { header, hasWeights, hasScores, columns }: RoutingTraceFile,
  shape: Pick<RoutingTable, "layers" | "topK" | "experts">,
  { also }: LoadRoutingOptions,
  rows: number,
): ShapedRows {
  const { layers, topK, experts } = shape;
  return {
    ...shape,
    ids: absentIds(rows * layers * topK, experts, topK, header.fewer),
    ...(hasWeights && also?.has("weights") === true ? { weights: new Float32Array(rows * layers * topK) } : {}),
    ...(hasScores && also?.has("scores") === true ? { scores: new Float32Array(rows * layers * experts) } : {}),
    ...(columns.includes("position") ? { positions: new Uint32Array(rows) } : {}),
    ...(columns.includes("phase") ? { phases: new Uint8Array(rows) } : {}),
    ...(columns.includes("token") ? { tokens: new Uint32Array(rows) } : {}),
  };
}

const bytesOf = ({ ids, weights, scores, positions, phases, tokens }: RowColumns): number =>
  [ids, weights, scores, positions, phases, tokens].reduce((sum, column) => sum + (column?.byteLength ?? 0), 0);

/** The origin a table gets from the header of its trace. */
export async function originOf(
  file: RoutingTraceFile,
  phase: RoutingOrigin["phase"],
  notes: readonly string[],
): Promise<RoutingOrigin> {
  const { model, provenance } = file.header;
  return {
    kind: provenance.origin,
    name: `${model} (${provenance.source})`,
    digest: await file.digest(),
    sourceRows: file.rows,
    phase,
    notes,
  };
}

function chosenLayers(file: RoutingTraceFile, chosen: readonly number[] | undefined): readonly number[] {
  const count = file.header.layers.length;
  const layers = chosen ?? file.header.layers.map((_layer, index) => index);
  const wrong = layers.filter(
    (layer, i) => !Number.isInteger(layer) || layer < 0 || layer >= count || layers.indexOf(layer) !== i,
  );
  if (layers.length === 0 || wrong.length > 0)
    refuse({ file: file.name, at: "layers", expected: `different layer indices below ${count}`, found: layers });
  return layers;
}

/** Where each selected sequence goes: by domain, then in the order the sequences begin. */
interface SequenceOrder {
  /** First table row of each sequence of the file. */
  readonly starts: Float64Array;
  /** The same starts in table order, then the number of rows. */
  readonly sequenceStarts: readonly number[];
  /** Number of selected sequences in the domains before each domain, then of all. */
  readonly domainSequences: readonly number[];
}

function placeSequences(domainOf: readonly number[], rows: readonly number[], domains: number): SequenceOrder {
  const members = Array.from({ length: domains }, (): number[] => []);
  for (const [sequence, domain] of domainOf.entries()) if ((rows[sequence] ?? 0) > 0) members[domain]?.push(sequence);
  const starts = new Float64Array(rows.length);
  const sequenceStarts: number[] = [];
  const domainSequences = [0];
  let row = 0;
  for (const sequences of members) {
    for (const sequence of sequences) {
      starts[sequence] = row;
      sequenceStarts.push(row);
      row += rows[sequence] ?? 0;
    }
    domainSequences.push(sequenceStarts.length);
  }
  return { starts, sequenceStarts: [...sequenceStarts, row], domainSequences };
}

const fillBytes = 4 << 20;

/**
 * Copies the selected rows to their places, transposing layer-major to row-major; returns a 1 for each row to leave
 * out.
 */
async function fillTable(
  file: RoutingTraceFile,
  layers: readonly number[],
  selected: readonly number[],
  starts: Float64Array,
  { ids, weights, scores, positions, phases, tokens, topK, experts }: ShapedRows,
): Promise<Uint8Array> {
  const stride = layers.length * topK;
  const taken = new Float64Array(selected.length);
  const absent = new Uint8Array(ids.length / stride);
  const chunkRows = Math.max(64, Math.floor(fillBytes / topK));
  for (let from = 0; from < file.rows; from += chunkRows) {
    const to = Math.min(file.rows, from + chunkRows);
    const sequences = await file.readColumn("sequence", from, to);
    const target = new Float64Array(to - from).fill(-1);
    for (let i = 0; i < target.length; i++) {
      const sequence = sequences[i]!;
      if (taken[sequence]! >= selected[sequence]!) continue;
      target[i] = starts[sequence]! + taken[sequence]!;
      taken[sequence]! += 1;
    }
    for (const span of wantedSpans(target)) {
      const targets = target.subarray(span.from, span.to);
      const [first, end] = [from + span.from, from + span.to];
      if (positions !== undefined) copyRows(await file.readColumn("position", first, end), targets, 1, positions, 1, 0);
      if (phases !== undefined) copyRows(await file.readColumn("phase", first, end), targets, 1, phases, 1, 0);
      if (tokens !== undefined) copyRows(await file.readColumn("token", first, end), targets, 1, tokens, 1, 0);
      for (const [place, layer] of layers.entries()) {
        const chunk = await file.readLayer(layer, first, end);
        markAbsent(chunk, targets, topK, absent);
        copyRows(chunk, targets, topK, ids, stride, place * topK);
        if (weights !== undefined)
          copyRows(await file.readWeights(layer, first, end), targets, topK, weights, stride, place * topK);
        if (scores !== undefined) {
          const chunk = await file.readScores(layer, first, end);
          copyRows(chunk, targets, experts, scores, layers.length * experts, place * experts);
        }
      }
    }
  }
  return absent;
}

/** Unwanted rows between wanted ones that are cheaper to read along than to skip. */
const gapRows = 512;

/** Stretches of rows that have a target, small gaps included. */
function* wantedSpans(target: Float64Array): Generator<{ from: number; to: number }> {
  let from = -1;
  let to = -1;
  for (let i = 0; i < target.length; i++) {
    if (target[i]! < 0) continue;
    if (from >= 0 && i - to > gapRows) {
      yield { from, to };
      from = i;
    }
    if (from < 0) from = i;
    to = i + 1;
  }
  if (from >= 0) yield { from, to };
}

/** Marks the rows that a layer did not record. */
function markAbsent(chunk: ExpertIds, target: Float64Array, topK: number, absent: Uint8Array): void {
  for (let i = 0; i < target.length; i++) if (target[i]! >= 0 && isAbsent(chunk, i, topK)) absent[target[i]!] = 1;
}

type Values = ExpertIds | Uint32Array | Float32Array;

/** Copies the rows of a chunk, `width` values each, to their targets in rows of `stride` values, `column` on. */
function copyRows(
  chunk: Values,
  target: Float64Array,
  width: number,
  to: Values,
  stride: number,
  column: number,
): void {
  for (let i = 0; i < target.length; i++) {
    const row = target[i]!;
    if (row < 0) continue;
    const at = row * stride + column;
    for (let k = 0; k < width; k++) to[at + k] = chunk[i * width + k]!;
  }
}

/** Closes the gaps of the rows left out, and drops sequences that nothing is left of. */
function dropRows(columns: ShapedRows, absent: Uint8Array, order: SequenceOrder) {
  const sequenceStarts: number[] = [];
  const domainStarts: number[] = [];
  let kept = 0;
  let domain = 0;
  for (let sequence = 0; sequence < order.sequenceStarts.length; sequence++) {
    while (order.domainSequences[domain] === sequence) {
      domainStarts.push(kept);
      domain += 1;
    }
    const first = kept;
    const from = order.sequenceStarts[sequence] ?? 0;
    const to = order.sequenceStarts[sequence + 1] ?? from;
    for (let row = from; row < to; row++) {
      if (absent[row] === 1) continue;
      if (kept !== row)
        changedColumns(columns, (values, perRow) => {
          values.copyWithin(kept * perRow, row * perRow, (row + 1) * perRow);
          return values;
        });
      kept += 1;
    }
    if (kept > first) sequenceStarts.push(first);
  }
  sequenceStarts.push(kept);
  return {
    rows: kept,
    // A view: a copy without the gaps would double the memory of a large table.
    columns: viewOfRows(columns, 0, kept),
    sequenceStarts: Uint32Array.from(sequenceStarts),
    domainStarts: Uint32Array.from(domainStarts),
  };
}
