import { formatNumber } from "../core/units.ts";
import { errorBandTable } from "../forecast/bands/error-band-table.ts";
import { latencies } from "../metrics/latencies.ts";
import { metricsAsRead } from "../metrics/metrics.ts";

/** Words of reports that are not metrics. */
const words = {
  percentile: "type 7 (linear interpolation), exact over requests; of ITL from a histogram, relative error below 0.4%",
  "n/a": "there are no samples, or the deployment is overloaded: its latencies grow with the length of the run",
  "*": "fewer than ten samples, n (1 - p), lie beyond the percentile p: its 95% interval between order statistics is given",
  stable: "arrivals do not outrun the deployment: the run shows it beyond chance",
  overloaded: "the backlog grows more than chance explains; sustained is the rate of completions meanwhile",
  "too short to tell": "the run shows neither; latency SLOs fail until there are enough requests",
  "±": "half-width of the 95% interval of the mean, by batch means",
  band: `${formatNumber(100 * errorBandTable.nominal)} of 100 measurements fell between forecast x low and forecast x high, on deployments not used for fitting`,
} as const satisfies Record<string, string>;

/** What reports explain, by word: latencies, words, metrics. Printed with the full report and in the README. */
export const definitions: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.values(latencies).map(({ label, definition }) => [label, definition]),
  ...Object.entries(words),
  ...metricsAsRead.flatMap(([, { term, definition }]) => (term === undefined ? [] : [[term, definition]])),
]);
