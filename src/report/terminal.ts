import type { Forecast } from "../forecast/forecast.ts";
import {
  baselineSection,
  closingSection,
  latencySection,
  sloSection,
  throughputSection,
  titleSection,
} from "./terminal-service.ts";
import {
  cacheSection,
  definitionsSection,
  expertsSection,
  inputsSection,
  ledgerSection,
  memorySection,
  timeSection,
} from "./terminal-system.ts";
import { type SummaryLevel, summaryLevels, type TerminalSection, type TerminalView } from "./terminal-view.ts";
import { plainStyle, type TextStyle } from "./text-table.ts";

/** The sections in the order of what a reader asks, with the lowest level that shows them. */
const sections: readonly (readonly [TerminalSection, SummaryLevel])[] = [
  [titleSection, "compact"],
  [sloSection, "compact"],
  [baselineSection, "compact"],
  [latencySection, "compact"],
  [throughputSection, "compact"],
  [timeSection, "standard"],
  [expertsSection, "standard"],
  [cacheSection, "standard"],
  [memorySection, "standard"],
  [ledgerSection, "standard"],
  [inputsSection, "standard"],
  [definitionsSection, "full"],
  [closingSection, "compact"],
];

const rank = (level: SummaryLevel) => Object.keys(summaryLevels).indexOf(level);

/** Lines are at most this wide where nothing says how wide the terminal is. */
const defaultWidth = 112;

/** The forecast as text for a terminal of `width` cells. Its last line is the verdict again, as the first is off screen. */
export function terminalSummary(
  forecast: Forecast,
  style: TextStyle = plainStyle,
  level: SummaryLevel = "standard",
  width = defaultWidth,
): string {
  const view: TerminalView = { style, width, level };
  return `${sections
    .filter(([, from]) => rank(from) <= rank(level))
    .map(([section]) => section(forecast, view))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
