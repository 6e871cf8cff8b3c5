import type { Forecast } from "../forecast/forecast.ts";

/** Renders forecasts into one file. Pure: the caller writes it. */
export interface Exporter {
  readonly description: string;
  render(forecasts: readonly Forecast[]): string;
}
