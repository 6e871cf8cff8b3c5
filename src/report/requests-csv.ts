import { csvCell } from "../core/csv-cell.ts";
import type { Exporter } from "./exporter.ts";
import { nameCell, type RequestColumn, type RequestRow, requestColumns } from "./request-columns.ts";

/** One row per request, those of the warm-up among them; an empty cell where there is no value. */
export const requestsExport: Exporter = {
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  render: (forecasts, { details = [] } = {}) => {
    const lines = [requestColumns.map(({ name }) => name).join(",")];
    // Few different texts stand in many rows.
    const texts = new Map<string, string>();
    const cell = (column: RequestColumn, row: RequestRow): string => {
      if (column.kind !== "text") return String(column.of(row) ?? "");
      const text = column.of(row);
      const known = texts.get(text) ?? csvCell(text);
      texts.set(text, known);
      return known;
    };
    for (const [i, forecast] of forecasts.entries()) {
      const rows = details[i]?.requests;
      if (rows === undefined) continue;
      const scenario = nameCell(forecast);
      for (let request = 0; request < rows.count; request++) {
        const row = { scenario, rows, request };
        lines.push(requestColumns.map((column) => cell(column, row)).join(","));
      }
    }
    return `${lines.join("\n")}\n`;
  },
};
