import type { RegressionLimits } from "../forecast/baseline.ts";
import type { Comparison } from "../forecast/compare/comparison.ts";
import type { Forecast } from "../forecast/forecast.ts";

/** How results are compared. */
export interface CompareOptions {
  /** Names of the results, in the order in which they are given; default `a`, `b`, ... */
  readonly names?: readonly string[];
  /** Metrics that are compared, such as `ttft.p99`; default all. */
  readonly metrics?: readonly string[];
  /** How much worse a metric may be, as a share of the first result's; default: nothing is a regression. */
  readonly limits?: RegressionLimits;
}

/**
 * Compares results, each the forecasts of one or more scenarios, with the first of them, as `moecast compare --json` does.
 * @throws InvalidInputError where they share no scenario
 * @experimental
 */
export async function compare(
  results: readonly (readonly Forecast[])[],
  options: CompareOptions = {},
): Promise<Comparison> {
  const { names = [], metrics = null, limits = null } = options;
  const { compareResults } = await import("../forecast/compare/compare-results.ts");
  const files = results.map((forecasts, i) => ({ file: names[i] ?? String.fromCharCode(97 + (i % 26)), forecasts }));
  return compareResults(files, { only: metrics, limits });
}
