import { canonicalJson } from "../core/json.ts";
import { escapeUnsafe } from "../core/printable.ts";
import type { Exporter } from "./exporter.ts";

/**
 * The Forecast document itself; one object for a run of one scenario, an array for a run of several, even if only one of
 * them gave a forecast. Equal runs give equal bytes.
 */
export const jsonExport: Exporter = {
  appends: false,
  reportsFailures: false,
  render: (forecasts, { failures = [] } = {}) =>
    `${escapeUnsafe(canonicalJson(forecasts.length + failures.length === 1 ? forecasts[0] : forecasts, 2))}\n`,
};
