import type { ResultColumn } from "./result-table.ts";

const types = { number: "DOUBLE", flag: "BOOLEAN", text: "STRING" } as const satisfies Record<
  ResultColumn["kind"],
  string
>;

/** Rows that are read together: whoever shows the best ten reads ten such groups of most columns. */
const groupRows = 4096;

/** Columns as a Parquet file; each may lack values. Equal columns give equal bytes. */
export async function resultParquet(columns: readonly ResultColumn[]): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map(({ name, kind, data }) => ({ name, data: [...data], type: types[kind], nullable: true })),
      createdBy: "moecast",
      rowGroupSize: groupRows,
    }),
  );
}
