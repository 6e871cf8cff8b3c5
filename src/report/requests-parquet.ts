import type { ColumnSource } from "hyparquet-writer";
import { canonicalJson } from "../core/json.ts";
import { version } from "../core/version.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { Exporter } from "./exporter.ts";
import { nameCell, type RequestColumn, requestColumns } from "./request-columns.ts";

/** Rows that are encoded at a time, and read together. */
const groupRows = 1 << 14;

const types = { text: "STRING", whole: "INT32", ms: "DOUBLE" } as const satisfies Record<RequestColumn["kind"], string>;

/** The columns of the file with the values of a part of its rows; only times may lack values. */
const columnsWith = (valuesOf: (column: RequestColumn) => (string | number | null)[]): ColumnSource[] =>
  requestColumns.map((column) => ({
    name: column.name,
    type: types[column.kind],
    nullable: column.kind === "ms",
    data: valuesOf(column),
  }));

/** What the file says of its runs besides their rows. */
const metadata = (forecasts: readonly Forecast[], details: readonly RunDetails[]): { key: string; value: string }[] => [
  { key: "moecast.version", value: version },
  {
    key: "moecast.runs",
    value: canonicalJson(
      forecasts.map((forecast, i) => ({
        scenario: nameCell(forecast),
        seed: forecast.seed,
        requests: details[i]?.requests.count ?? 0,
        moecastVersion: forecast.moecastVersion,
      })),
    ),
  },
];

/** The rows of the `requests` export with types, and null where there is no value. Rows are encoded group by group; equal runs give equal bytes. */
export const parquetExport: Exporter<Promise<Uint8Array>> = {
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  render: async (forecasts, { details = [] } = {}) => {
    const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import("hyparquet-writer");
    const writer = new ByteWriter();
    const file = new ParquetWriter({
      writer,
      schema: schemaFromColumnData({ columnData: columnsWith(() => []) }),
      createdBy: `moecast ${version}`,
      kvMetadata: metadata(forecasts, details),
    });
    for (const [i, forecast] of forecasts.entries()) {
      const rows = details[i]?.requests;
      if (rows === undefined) continue;
      const scenario = nameCell(forecast);
      for (let from = 0; from < rows.count; from += groupRows) {
        const length = Math.min(groupRows, rows.count - from);
        const columnData = columnsWith(({ of }) =>
          Array.from({ length }, (_, row) => of({ scenario, rows, request: from + row })),
        );
        await file.write({ columnData, rowGroupSize: length });
      }
    }
    await file.finish();
    return writer.getBytes();
  },
};
