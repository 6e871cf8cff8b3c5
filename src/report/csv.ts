import { printable } from "../core/errors.ts";
import type { Exporter } from "./exporter.ts";
import { metricRows } from "./metric-rows.ts";

/** Quotes a cell where needed; a leading formula character is disarmed with an apostrophe. */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One row per scenario and metric; an empty value where there is none. */
export const csvExport: Exporter = {
  description: "one row per scenario and metric: scenario,metric,value,unit",
  render: (forecasts) => {
    const lines = ["scenario,metric,value,unit"];
    for (const forecast of forecasts)
      for (const { metric, value, unit } of metricRows(forecast))
        lines.push(
          [csvCell(printable(forecast.scenario.name)), metric, value === null ? "" : String(value), unit].join(","),
        );
    return `${lines.join("\n")}\n`;
  },
};
