import type { Forecast } from "../forecast/forecast.ts";
import type { Exporter, ScenarioFailure } from "./exporter.ts";
import { forecastPage } from "./forecast-page.ts";
import { markdownText } from "./markdown-text.ts";
import { markdownHead, markdownPage } from "./page-markdown.ts";

/** The first lines of a report: what was simulated, and how it came out. */
export const markdownHeading = (forecast: Forecast): string[] => markdownHead(forecastPage(forecast, "compact"));

/** A headline, tables of SLOs, latency, throughput and experts, and the rest folded away. */
export const markdownReport = (forecast: Forecast): string => markdownPage(forecastPage(forecast, "full"));

/** A scenario that has no forecast, and why. */
export const markdownFailure = ({ file, message }: ScenarioFailure): string =>
  [`### ${markdownText(file)}: no forecast`, "", markdownText(message), ""].join("\n");

export const markdownExport: Exporter = {
  appends: false,
  reportsFailures: true,
  render: (forecasts, { failures = [] } = {}) =>
    [...forecasts.map(markdownReport), ...failures.map(markdownFailure)].join("\n"),
};
