import { canonicalJson } from "../core/json.ts";
import type { Exporter } from "./exporter.ts";

/** The Forecast document itself; one object for one scenario, an array for several. Equal runs give equal bytes. */
export const jsonExport: Exporter = {
  description: "the whole forecast, versioned (schemaVersion)",
  render: (forecasts) => `${canonicalJson(forecasts.length === 1 ? forecasts[0] : forecasts, 2)}\n`,
};
