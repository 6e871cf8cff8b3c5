import type { Forecast } from "../forecast/forecast.ts";
import type { TextStyle } from "./text-table.ts";

/** What a summary is written for. */
export interface TerminalView {
  readonly style: TextStyle;
  /** Cells in a line. */
  readonly width: number;
}

/** One part of a summary as lines; none where the forecast has nothing to say there. */
export type TerminalSection = (forecast: Forecast, view: TerminalView) => string[];
