import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { profileColumns } from "./profile-columns.ts";

export type TableRows = readonly Readonly<Record<string, unknown>>[];

/** Endings of files that can hold a kernel table, and how their rows are read. */
const openers: Readonly<Record<string, (bytes: Uint8Array, file: string) => Promise<TableRows>>> = {
  ".parquet": parquetRows,
  ".csv": async (bytes, file) => csvRows(bytes, file),
  ".csv.gz": async (bytes, file) => csvRows(unzipped(bytes, file), file),
};

/** Whether a file name is that of a kernel table. */
export function isTableName(file: string): boolean {
  return Object.keys(openers).some((ending) => file.endsWith(ending));
}

/** Rows of a Parquet, CSV or gzipped CSV table; throws InvalidInputError for what cannot be read. */
export async function openTable(file: string): Promise<TableRows> {
  const ending = Object.keys(openers).find((end) => file.endsWith(end));
  const open = ending === undefined ? undefined : own(openers, ending);
  if (open === undefined) refuse({ file, expected: `a table (${Object.keys(openers).join(", ")})` });
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) =>
    refuse({ file, expected: "a readable file", found: error.code ?? error.message }),
  );
  const rows = await open(bytes, file);
  if (rows.length === 0) refuse({ file, expected: "rows", found: "none" });
  const described = await profileColumns(file);
  return Object.keys(described).length === 0 ? rows : rows.map((row) => ({ ...described, ...row }));
}

/** Parquet, with every codec of hyparquet-compressors (Snappy and Zstandard among them). */
async function parquetRows(bytes: Uint8Array, file: string): Promise<TableRows> {
  const { parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    return (await parquetReadObjects({ file: buffer, compressors })) as TableRows;
  } catch (error) {
    return refuse({ file, expected: "a Parquet file", found: (error as Error).message });
  }
}

function csvRows(bytes: Uint8Array, file: string): TableRows {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true }) as unknown as TableRows;
  } catch (error) {
    return refuse({ file, expected: "well-formed CSV in UTF-8", found: (error as Error).message });
  }
}

function unzipped(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    return refuse({ file, expected: "a gzip file", found: (error as Error).message });
  }
}
