import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { InvalidInputError, refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { formatBytes, formatCount } from "../../core/units.ts";
import { inputBytesMax, kernelTableRowsMax } from "../../files/input-limits.ts";
import { readBytes } from "../../files/read-input.ts";
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
  const bytes = await readBytes(file, inputBytesMax.kernelTable);
  const rows = await open(bytes, file);
  if (rows.length === 0) refuse({ file, expected: "rows", found: "none" });
  const described = await profileColumns(file);
  return Object.keys(described).length === 0 ? rows : rows.map((row) => ({ ...described, ...row }));
}

/** Parquet, with every codec of hyparquet-compressors (Snappy and Zstandard among them). */
async function parquetRows(bytes: Uint8Array, file: string): Promise<TableRows> {
  const { parquetMetadata, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const read = async <T>(part: () => T | Promise<T>): Promise<T> => {
    try {
      return await part();
    } catch (error) {
      return refuse({ file, expected: "a Parquet file", found: (error as Error).message });
    }
  };
  const metadata = await read(() => parquetMetadata(buffer));
  refuseRows(Number(metadata.num_rows), file);
  const declared = metadata.row_groups.flatMap(({ columns }) =>
    columns.map(({ meta_data }) => Number(meta_data?.total_uncompressed_size ?? 0)),
  );
  const bytesDeclared = declared.reduce((sum, size) => sum + size, 0);
  if (!(bytesDeclared <= inputBytesMax.kernelTable))
    refuse({
      file,
      expected: `at most ${formatBytes(inputBytesMax.kernelTable)} after decompression`,
      found: formatBytes(bytesDeclared),
    });
  return read(async () => (await parquetReadObjects({ file: buffer, metadata, compressors })) as TableRows);
}

function csvRows(bytes: Uint8Array, file: string): TableRows {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const options = { columns: true, bom: true, trim: true, skip_empty_lines: true, to: kernelTableRowsMax + 1 };
    const rows = parse(text, options) as unknown as TableRows;
    refuseRows(rows.length, file);
    return rows;
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    return refuse({ file, expected: "well-formed CSV in UTF-8", found: (error as Error).message });
  }
}

function refuseRows(rows: number, file: string): void {
  if (!(rows <= kernelTableRowsMax))
    refuse({ file, expected: `at most ${formatCount(kernelTableRowsMax)} rows`, found: rows });
}

function unzipped(bytes: Uint8Array, file: string): Uint8Array {
  const most = inputBytesMax.kernelTable;
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      return refuse({ file, expected: `at most ${formatBytes(most)} after decompression`, found: "more" });
    return refuse({ file, expected: "a gzip file", found: (error as Error).message });
  }
}
