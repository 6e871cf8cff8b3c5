import type { Exporter } from "../exporter.ts";
import { forecastsReport } from "./forecasts-report.ts";

/** Runs as a page of its own, as `moecast report` writes it. */
export const htmlExport: Exporter = {
  appends: false,
  reportsFailures: false,
  render: (forecasts) => forecastsReport(forecasts),
};
