import { InvalidInputError, refuse } from "../../../core/errors.ts";
import { traceLimits } from "../../container/trace-header.ts";
import type { FileSample, ImportOptions, TraceImporter } from "../importer.ts";
import { importedProvenance } from "../provenance.ts";
import { expertCount } from "../row-parts.ts";
import { tableCells } from "./cells.ts";
import { resolveColumns } from "./column-readers.ts";
import { mapProblems } from "./fields.ts";
import { findReading } from "./find-reading.ts";
import { guessMap } from "./guess-map.ts";
import { entriesOf } from "./nested-values.ts";
import { peekTable } from "./peek-table.ts";
import { checkWhole, doubtsOf, notesOf, tallyNotes, vocabularyIds } from "./table-doubts.ts";
import { layOut } from "./table-layout.ts";
import type { TableReading } from "./table-shape.ts";
import { openTable, type TableSource } from "./table-source.ts";
import { emptyTally } from "./tally.ts";
import { mapByNames } from "./unknown-columns.ts";
import { writeTable } from "./write-table.ts";

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
    const [file = ""] = paths;
    const warnings: string[] = [];
    const sources: TableSource[] = [];
    for (const path of paths) sources.push(await openTable(path, options.map ?? null));
    const map = options.map ?? mapByNames(sources, warnings);
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
    const stated = { experts: options.experts, topK: options.topK };
    const { shape, reading } = await findReading(cells, paths.length, map.request !== undefined, file, stated);
    checkWhole(shape, reading, options.topK, file);
    if (options.map === undefined && shape.scattered !== null) refuse({ file, ...vocabularyIds(map, shape.scattered) });
    const experts = expertCount(options.experts ?? shape.fused.experts, shape.idMax, shape.topK, file, warnings);
    if (shape.short > 0 && experts > traceLimits.experts - 2)
      refuse({ file, expected: "as many experts in every row of so many", found: experts });
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
    const notes = [...shape.fused.notes, ...tallyNotes(tally), ...notesOf(shape)];
    if (layout.rows === 0) refuse({ file, expected: "rows of routing", found: "only warm-up rows" });
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
          layers: modelLayersOf(shape.layers, options.modelLayers, file),
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

/** The layers of the model: as the table numbers them, or as stated for as many. */
function modelLayersOf(recorded: readonly number[], stated: readonly number[] | undefined, file: string) {
  if (stated === undefined) return recorded;
  const ascending = stated.every((layer, i) => i === 0 || layer > (stated[i - 1] ?? 0));
  if (stated.length !== recorded.length || !ascending)
    refuse({ file, expected: `${recorded.length} ascending layers of the model, as the table has`, found: stated });
  return stated;
}
