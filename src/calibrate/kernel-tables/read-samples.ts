import { InvalidInputError } from "../../core/errors.ts";
import { closest } from "../../core/suggest.ts";
import { ProblemList } from "../measured/problem-list.ts";
import type { KernelSample } from "./kernel-sample.ts";
import { KernelTable } from "./kernel-table.ts";
import { openTable, type TableRows } from "./open-table.ts";
import { kernelTableReaders } from "./readers.ts";

/** The measured kernels of one table file, repeats not yet merged. Throws InvalidInputError with all its problems. */
export async function readKernelSamples(file: string): Promise<KernelSample[]> {
  return kernelSamplesOf(await openTable(file), file);
}

/** The measured kernels of the rows of a table, which is recognised by its columns. */
export function kernelSamplesOf(rows: TableRows, file: string): KernelSample[] {
  const problems = new ProblemList(file);
  const table = new KernelTable(file, rows, problems);
  const reader = kernelTableReaders.find(({ columns }) => columns.every((column) => table.has(column)));
  if (reader === undefined) throw unknownLayout(table);
  const samples = reader.read(table);
  problems.settle();
  return samples;
}

/** Whether some reader knows a table with such columns. */
export function isKernelTable(rows: TableRows): boolean {
  const names = new Set(Object.keys(rows[0] ?? {}));
  return kernelTableReaders.some(({ columns }) => columns.every((column) => names.has(column)));
}

/** What the likeliest layout would still need. */
function unknownLayout(table: KernelTable): InvalidInputError {
  const missingOf = (columns: readonly string[]) => columns.filter((column) => !table.has(column));
  const likeliest = kernelTableReaders.reduce((a, b) =>
    missingOf(b.columns).length / b.columns.length < missingOf(a.columns).length / a.columns.length ? b : a,
  );
  return new InvalidInputError(
    missingOf(likeliest.columns).map((column) => {
      const near = closest(column, table.columns);
      return {
        file: table.file,
        expected: `a column "${column}" of a table of ${likeliest.name}`,
        ...(near === null ? {} : { hint: `did you mean it by "${near}"?` }),
      };
    }),
  );
}
