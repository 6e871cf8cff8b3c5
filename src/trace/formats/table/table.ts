import { InvalidInputError, refuse } from "../../../core/errors.ts";
import type { Json } from "../../../core/json.ts";
import { traceLimits } from "../../container/trace-header.ts";
import { type FileSample, fileName, type ImportOptions, type TraceImporter } from "../importer.ts";
import { importedProvenance } from "../provenance.ts";
import { expertCount } from "../row-parts.ts";
import { emptyTally, tableCells } from "./cells.ts";
import { resolveColumns } from "./column-readers.ts";
import { mapProblems, type TableMap } from "./fields.ts";
import { guessMap } from "./guess-map.ts";
import { entriesOf } from "./nested-values.ts";
import { peekTable } from "./peek-table.ts";
import type { Tally } from "./record-reader.ts";
import { scanTable } from "./scan-table.ts";
import { layOut } from "./table-layout.ts";
import type { TableReading, TableShape } from "./table-shape.ts";
import { openTable, type TableSource } from "./table-source.ts";
import { writeTable } from "./write-table.ts";

/** A log may skip tokens, but not so many that the trace would be mostly empty. */
const cellsMissingMax = 0.5;

/**
 * Tables of recorded routing as people's own tools write them: a row for each token and layer, for each expert of one, or for
 * each token with a list by layer; delimited text or JSON. Which column is what is said by a map, or by names that leave no
 * doubt.
 */
export const table: TraceImporter = {
  description: "tables in CSV, TSV or JSON: the columns named by --map, or recognised by their names",

  detects({ text }: FileSample, { map }: ImportOptions = {}): boolean {
    const peeked = peekTable(text);
    if (peeked === null) return false;
    if (map === undefined) return guessMap(peeked.columns, peeked.first).map !== null;
    const columns = Object.values(map).flat();
    const readers = resolveColumns(peeked, columns, []);
    return (
      readers.length === columns.length &&
      readers.some((reader) => entriesOf(reader, peeked.first).some(({ value }) => value !== undefined))
    );
  },

  async import(paths, options, files) {
    if (options.interleaved !== undefined || options.kind === "counts")
      refuse({
        file: paths[0] ?? "",
        expected: "a table of tokens",
        found: options.kind === "counts" ? "--kind counts" : "--interleaved",
        hint:
          options.kind === "counts"
            ? "import the tokens, then moecast trace convert --to counts"
            : "name the column of the request: --map request=...",
      });
    const warnings: string[] = [];
    const sources: TableSource[] = [];
    for (const path of paths) sources.push(await openTable(path, options.map ?? null));
    const map = options.map ?? mapOf(sources, warnings);
    const problems = mapProblems(map);
    if (problems.length > 0)
      throw new InvalidInputError(problems.map((problem) => ({ ...problem, at: `--map ${problem.at ?? ""}`.trim() })));
    const comments = sources.reduce((sum, source) => sum + source.comments, 0);
    if (comments > 0) warnings.push(`lines that begin with # are taken for comments`);

    let tally = emptyTally();
    const cells = (reading: TableReading) => {
      tally = emptyTally();
      return tableCells(paths, map, { topK: options.topK, filesApart: reading.filesApart }, tally);
    };
    const { shape, reading } = await scanOften(cells, paths.length, map, paths[0] ?? "", options.experts);
    checkWhole(shape, reading, options.topK, paths[0] ?? "");
    const experts = expertCount(options.experts, shape.idMax, shape.topK, paths[0] ?? "", warnings);
    if (shape.short > 0 && experts > traceLimits.experts - 2)
      refuse({ file: paths[0] ?? "", expected: "as many experts in every row of so many", found: experts });
    warnings.push(...doubtsOf(shape, options.experts));
    const layout = layOut(shape, reading, paths, options);
    if (shape.hasRequests && reading.filesApart)
      warnings.push(
        "requests of the same name in several files are taken for different ones, as their tokens come again",
      );
    if (layout.isGuessed)
      warnings.push(
        "no column names requests, so how rows of steps become sequences is a guess: name it with --map request=..., or choose with --grouping",
      );
    const notes = [...tallyNotes(tally), ...notesOf(shape)];
    if (layout.rows === 0) refuse({ file: paths[0] ?? "", expected: "rows of routing", found: "only warm-up rows" });
    if (layout.droppedRows > 0)
      warnings.push(`${layout.droppedRows} warm-up rows were dropped, ${layout.rows} are kept`);
    return {
      layout: {
        header: {
          kind: "tokens",
          model: options.model ?? "unknown",
          experts,
          topK: shape.topK,
          ...(shape.short > 0 ? { fewer: true } : {}),
          layers: shape.layers,
          domains: layout.domains,
          provenance: {
            ...importedProvenance("table", layout.rule, options, files, notes),
            droppedRows: layout.droppedRows,
          },
        },
        rows: layout.rows,
        columns: layout.columns,
        ...(shape.hasWeights ? { weights: "f32" } : {}),
      },
      warnings: [...warnings, ...notes],
      write: (writer) => writeTable(writer, cells(reading), shape, reading, layout, experts),
    };
  },
};

/** The map that the names of columns give, where they leave no doubt. */
function mapOf(sources: readonly TableSource[], warnings: string[]): TableMap {
  const [source] = sources;
  if (source?.first === undefined || source.first === null)
    return refuse({ file: source?.file ?? "", expected: "a table with rows" });
  const { map, text, unread } = guessMap(source.columns, source.first);
  if (map === null) refuseUnknown(source.file, source.columns, source.first);
  warnings.push(
    `columns are taken by their names: --map '${text}'${unread.length === 0 ? "" : `; not read: ${unread.join(", ")}`}`,
  );
  return map;
}

/** Refuses a table whose columns are not known by name: with what they are, and a map to begin with. */
function refuseUnknown(file: string, columns: readonly string[], first: Json): never {
  const names =
    columns[0] === "#1"
      ? `no names, ${columns.length} columns: ${JSON.stringify(first).slice(0, 80)}`
      : columns.slice(0, 40).join(", ");
  const { text } = guessMap(columns, first);
  const isKnown = !text.includes("?") && columns[0] !== "#1";
  const example = columns[0] === "#1" ? `token=#1,layer=#2,experts=${columns.slice(2, 10).join("+") || "#3"}` : text;
  refuse({
    file,
    expected: "columns whose names say what they are, or --map",
    found: names === "" ? JSON.stringify(first).slice(0, 80) : names,
    hint:
      `${isKnown ? "if it is right" : columns[0] === "#1" ? "such as" : "fill in"}: --format table --map '${example}'` +
      (example.includes("token=?")
        ? "; without a column for tokens every row of a layer is one, or every k rows with --top-k k"
        : ""),
  });
}

/** What to say of a file in no known format, if it is a table; nothing otherwise. */
export async function refuseUnknownTable({ text, fileName, arrays }: FileSample, file: string): Promise<void> {
  if (arrays !== null) return;
  const isNamed = /\.(csv|tsv|json|jsonl|ndjson)(\.gz)?$/i.test(fileName);
  const peeked = peekTable(text);
  if (peeked === null ? !isNamed : peeked.delimiter !== null && peeked.columns.length === 1 && !isNamed) return;
  const source = await openTable(file, null);
  // Whatever is wrong with the first rows is to be said first.
  for await (const records of source.records()) if (records.length > 0) break;
  refuseUnknown(source.file, source.columns, source.first);
}

/**
 * Scans a table for what its tokens are numbered in: first taken as numbered through each request, then, where numbers come
 * again, anew in each step.
 */
async function scanOften(
  cells: (reading: TableReading) => ReturnType<typeof tableCells>,
  files: number,
  map: TableMap,
  file: string,
  experts: number | undefined,
): Promise<{ shape: TableShape; reading: TableReading }> {
  let reading: TableReading = { unit: "request", filesApart: map.request === undefined && files > 1 };
  for (;;) {
    const shape = await scanTable(cells(reading), reading, file, experts);
    const next = otherReading(shape, reading, files);
    if (next === null) return { shape, reading };
    reading = next;
  }
}

function otherReading(shape: TableShape, reading: TableReading, files: number): TableReading | null {
  const { unit, filesApart } = reading;
  const everyLayerOnce = shape.layersOfFiles.reduce((sum, layers) => sum + layers.size, 0) === shape.layers.length;
  // Files of different layers hold the same tokens.
  if (files > 1 && filesApart && !shape.hasRequests && everyLayerOnce) return { ...reading, filesApart: false };
  if (shape.repeat === null) return null;
  if (unit !== "request") return refusedRepeat(shape);
  if (files > 1 && !filesApart && shape.hasRequests) return { unit, filesApart: true };
  if (shape.hasSteps) return { unit: "step", filesApart };
  if (shape.restartsOnly) return { unit: "pass", filesApart };
  return refusedRepeat(shape);
}

/** Refuses tokens that come again; where rows are in no order, the second reading finds out which, and nothing is said here. */
function refusedRepeat({ repeat, restartsOnly }: TableShape): null {
  if (!restartsOnly) return null;
  return refuse({
    file: repeat?.file ?? "",
    ...(repeat === null ? {} : { line: repeat.line }),
    at: `layer ${repeat?.layer}`,
    expected: "each token once in a layer",
    found: `token ${repeat?.token} again`,
    hint: "name what tells such tokens apart: --map request=... or step=...; rows of one token and layer have to follow one another",
  });
}

function checkWhole(
  { missing, grid, firstMissing, topK }: TableShape,
  { unit }: TableReading,
  stated: number | undefined,
  file: string,
): void {
  if (missing > grid * cellsMissingMax)
    refuse({
      file,
      expected: "rows for at least half of all tokens and layers",
      found: `${grid - missing} of ${grid}; ${firstMissing}`,
    });
  // Passes are counted layer by layer, so one that a layer lacks would shift all that follow.
  if (missing > 0 && unit === "pass")
    refuse({
      file,
      expected: "as many tokens in every layer each time their numbers begin anew",
      found: firstMissing,
      hint: "name the column of the request or the step: --map request=... or step=...",
    });
  if (stated !== undefined && stated !== topK)
    refuse({ file, expected: `${stated} experts in the fullest rows, as --top-k says`, found: topK });
}

function doubtsOf(
  { idMin, idMax, selections, missing, missingAtEnds }: TableShape,
  experts: number | undefined,
): string[] {
  const doubts: string[] = [];
  // Uniform choices would miss one expert with a chance of e^-20.
  if (idMin === 1 && selections >= 20 * idMax)
    doubts.push(
      `expert 0 is never chosen and the largest id is ${idMax}: ids may be counted from 1` +
        (experts === undefined ? ", which makes one expert too many" : ""),
    );
  if (missing > 0 && missingAtEnds)
    doubts.push(
      "rows are missing at the ends of layers alone: the column of the token may count what was logged; then layers are misaligned",
    );
  return doubts;
}

function tallyNotes({ others, firstOther, empty }: Tally): string[] {
  const notes: string[] = [];
  if (firstOther !== null)
    notes.push(
      `${others} records have none of the columns, the first in line ${firstOther.line} of ${fileName(firstOther.file)}: left out`,
    );
  if (empty > 0) notes.push(`${empty} rows hold no expert (-1, an empty list): not recorded`);
  return notes;
}

function notesOf({
  blankLayers,
  short,
  firstShort,
  topK,
  missing,
  grid,
  firstMissing,
  sorted,
  looksForWarmUp,
}: TableShape): string[] {
  const notes: string[] = [];
  if (blankLayers.length > 0)
    notes.push(`layers ${blankLayers.join(", ")} hold expert 0 alone, as dense layers do in buffers for all: left out`);
  if (missing > 0)
    notes.push(
      `${missing} of ${grid} rows of a token and layer are missing and marked absent (${firstMissing}); replay leaves out tokens that lack a layer`,
    );
  if (short > 0)
    notes.push(
      `${short} of ${grid - missing} rows have fewer than ${topK} experts, the first in line ${firstShort?.line} of ${fileName(firstShort?.file ?? "")}: ` +
        "the rest are choices without an expert",
    );
  if (sorted > 0) notes.push(`experts of ${sorted} rows were put in the order of their weights`);
  if (!looksForWarmUp) notes.push("too many requests to look for warm-up rows");
  return notes;
}
