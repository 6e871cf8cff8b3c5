import type { Forecast } from "../forecast/forecast.ts";
import type { TextStyle } from "./text-table.ts";

/** How much a summary shows, each level all of the one before it. */
export const summaryLevels = {
  compact: "verdict, SLOs, comparison, latency and throughput",
  standard: "also where the time goes, experts, memory, and what the figures rest on",
  full: "also the whole of that, and what the words mean",
} as const;

export type SummaryLevel = keyof typeof summaryLevels;

/** What a summary is written for. */
export interface TerminalView {
  readonly style: TextStyle;
  /** Cells in a line. */
  readonly width: number;
  readonly level: SummaryLevel;
}

/** One part of a summary as lines; none where the forecast has nothing to say there. */
export type TerminalSection = (forecast: Forecast, view: TerminalView) => string[];
