import { ExpertNames } from "./expert-names.ts";
import type { TableMap } from "./fields.ts";
import { type CellOptions, PartJoiner } from "./part-joiner.ts";
import { RecordReader } from "./record-reader.ts";
import { RowProblems } from "./row-problems.ts";
import type { TableCell } from "./table-cell.ts";
import { openTable } from "./table-source.ts";
import type { Tally } from "./tally.ts";

/** The cells of several files in the order of their rows; rows without any expert are left out, and tallied. */
export async function* tableCells(
  paths: readonly string[],
  map: TableMap,
  options: CellOptions,
  tally: Tally,
): AsyncGenerator<readonly TableCell[]> {
  const joiner = new PartJoiner(options);
  const problems = new RowProblems();
  const context = { map, topK: options.topK, problems, names: new ExpertNames(), tally };
  for (const [fileIndex, path] of paths.entries()) {
    const source = await openTable(path, map);
    const reader = new RecordReader(source, fileIndex, context);
    for await (const records of source.records()) {
      const cells: TableCell[] = [];
      for (const record of records) for (const part of reader.partsOf(record)) joiner.push(part, cells);
      yield cells;
    }
  }
  problems.settle();
  yield joiner.end();
}
