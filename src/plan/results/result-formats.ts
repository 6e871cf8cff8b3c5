import { resultCsv } from "./result-csv.ts";
import { resultParquet } from "./result-parquet.ts";
import type { ResultColumn } from "./result-table.ts";

/** Files that a sweep ends with, by name: how each is made of its columns. */
export const resultFormats: Readonly<
  Record<string, (columns: readonly ResultColumn[]) => string | Promise<Uint8Array>>
> = {
  "results.csv": resultCsv,
  "results.parquet": resultParquet,
};
