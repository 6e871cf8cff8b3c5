import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { readBytes } from "../../files/read-input.ts";

const resultBytesMax = 2 ** 31 - 1;

/** A table of results that was written as Parquet, of which columns are read one by one. */
export class ResultFile {
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;

  private constructor(file: AsyncBuffer, metadata: FileMetaData) {
    this.#file = file;
    this.#metadata = metadata;
  }

  /** Throws InvalidInputError where there is no such file. */
  static async open(path: string): Promise<ResultFile> {
    const bytes = await readBytes(path, resultBytesMax);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const { parquetMetadata } = await import("hyparquet");
    return new ResultFile(file, parquetMetadata(file));
  }

  /** [columns][rows] values; null for none. */
  async columns(names: readonly string[]): Promise<unknown[][]> {
    const { parquetRead } = await import("hyparquet");
    const columns = names.map((): unknown[] => []);
    await parquetRead({
      file: this.#file,
      metadata: this.#metadata,
      columns: [...new Set(names)],
      onChunk: ({ columnName, columnData, rowStart }) => {
        for (const [at, name] of names.entries()) {
          if (name !== columnName) continue;
          const column = columns[at]!;
          for (let i = 0; i < columnData.length; i++) column[rowStart + i] = columnData[i] ?? null;
        }
      },
    });
    return columns;
  }
}
