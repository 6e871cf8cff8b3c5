import { csvCell } from "../core/csv-cell.ts";
import type { SloVerdict } from "../forecast/forecast.ts";
import type { Exporter } from "./exporter.ts";
import { verdictLabel } from "./labels.ts";
import { metricRows } from "./metric-rows.ts";

/** The unit an SLO was written in, which its value has too. */
const unitOf = ({ expression }: SloVerdict) => /\d\s*([a-z%/]+)\s*$/i.exec(expression)?.[1] ?? "";

/** One row per scenario and metric, then one per SLO with its verdict, and one per metric
 * of a baseline with its regression as a share of it; an empty value where there is none. */
export const csvExport: Exporter = {
  appends: false,
  reportsFailures: false,
  render: (forecasts) => {
    const lines = ["scenario,metric,value,unit,verdict"];
    for (const forecast of forecasts) {
      const scenario = csvCell(forecast.scenario.name);
      const add = (metric: string, value: number | null, unit: string, verdict: string) =>
        lines.push([scenario, csvCell(metric), value === null ? "" : String(value), csvCell(unit), verdict].join(","));
      for (const { metric, value, unit, mark } of metricRows(forecast)) add(metric, value, unit, mark);
      for (const slo of forecast.slos)
        add(`${slo.metric} ${slo.expression}`, slo.value, unitOf(slo), verdictLabel(slo).toLowerCase());
      for (const { metric, regression, failed } of forecast.baseline ?? [])
        add(`baseline ${metric}`, regression, "share", failed ? "fail" : "ok");
    }
    return `${lines.join("\n")}\n`;
  },
};
