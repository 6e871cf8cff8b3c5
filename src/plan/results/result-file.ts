import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { refuse } from "../../core/errors.ts";
import { openInput, readRange } from "../../files/read-input.ts";

/** A table of results that was written as Parquet, of which columns are read one by one. */
export class ResultFile {
  readonly rows: number;
  readonly #path: string;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #columns = new Map<string, unknown[]>();

  private constructor(path: string, file: AsyncBuffer, metadata: FileMetaData) {
    this.#path = path;
    this.#file = file;
    this.#metadata = metadata;
    this.rows = Number(metadata.num_rows);
  }

  /** Throws InvalidInputError where there is no such file, and where it is no Parquet file. */
  static async open(path: string): Promise<ResultFile> {
    const { handle, facts } = await openInput(path);
    await handle.close();
    const file: AsyncBuffer = {
      byteLength: facts.size,
      slice: async (from, to = facts.size) => {
        const bytes = await readRange(path, from, to - from);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
      },
    };
    const { parquetMetadataAsync } = await import("hyparquet");
    return new ResultFile(path, file, await readable(path, parquetMetadataAsync(file)));
  }

  /** Values of a column by row; null for none. */
  async column(name: string): Promise<readonly unknown[]> {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const column = await this.#read(name, 0, this.rows);
    this.#columns.set(name, column);
    return column;
  }

  /** Values of a column in these rows; less is read than of the whole column. */
  async values(name: string, rows: readonly number[]): Promise<unknown[]> {
    const known = this.#columns.get(name);
    if (known !== undefined) return rows.map((row) => known[row]);
    const values = new Map<number, unknown>();
    for (const row of rows) values.set(row, (await this.#read(name, row, row + 1))[0]);
    return rows.map((row) => values.get(row));
  }

  async #read(name: string, from: number, to: number): Promise<unknown[]> {
    const { parquetRead } = await import("hyparquet");
    const column: unknown[] = new Array<unknown>(to - from).fill(null);
    const onChunk = ({ columnData, rowStart }: { columnData: ArrayLike<unknown>; rowStart: number }) => {
      for (let i = Math.max(0, from - rowStart); i < columnData.length && rowStart + i < to; i++)
        column[rowStart + i - from] = columnData[i] ?? null;
    };
    const options = { file: this.#file, metadata: this.#metadata, columns: [name], rowStart: from, rowEnd: to };
    await readable(this.#path, parquetRead({ ...options, onChunk }));
    return column;
  }
}

/** What a reader throws at a file that is no Parquet file, or a broken one. */
const readable = <T>(file: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) =>
    refuse({
      file,
      expected: "a table that moecast wrote",
      hint: error instanceof Error ? error.message : String(error),
    }),
  );
