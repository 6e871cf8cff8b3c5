import { latencies } from "../metrics/latencies.ts";
import { metricsAsRead } from "../metrics/metrics.ts";

/** Words of reports that are not metrics. */
const words = {
  percentile: "type 7 (linear interpolation), exact over requests; ITL from a histogram with relative error below 0.4%",
  "n/a": "no samples, or an overloaded deployment, whose latencies grow with the length of the run",
  "*": "a percentile p of n samples with n (1 - p) below 10: where it lies with 95% probability, between order statistics",
  stable: "the run excludes, beyond chance, that arrivals outrun the deployment",
  overloaded: "more requests pile up than chance explains; sustained is the rate of completions meanwhile",
  "too short to tell": "neither is shown: latency SLOs fail until there are enough requests",
  "±": "half-width of the 95% interval of the mean by batch means",
  band: "factors between which that share of measured values lay of forecasts of deployments that no fit had seen",
} as const satisfies Record<string, string>;

/** What reports explain, by word: latencies, words, metrics. Printed with the full report and in the README. */
export const definitions: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.values(latencies).map(({ label, definition }) => [label, definition]),
  ...Object.entries(words),
  ...metricsAsRead.flatMap(([, { term, definition }]) => (term === undefined ? [] : [[term, definition]])),
]);
