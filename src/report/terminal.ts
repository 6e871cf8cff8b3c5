import type { Forecast } from "../forecast/forecast.ts";
import { forecastPage } from "./forecast-page.ts";
import { terminalPage } from "./page-terminal.ts";
import type { SummaryLevel } from "./summary-level.ts";
import type { TextStyle } from "./text-table.ts";

/** The forecast as text for a terminal of `width` cells. Its last line is the verdict again, as the first is off screen. */
export const terminalSummary = (
  forecast: Forecast,
  style?: TextStyle,
  level: SummaryLevel = "standard",
  width?: number,
): string => terminalPage(forecastPage(forecast, level), style, width);
