import type { Forecast } from "../forecast/forecast.ts";
import { baselineSection, latencySection, sloSection, throughputSection, titleSection } from "./terminal-service.ts";
import {
  cacheSection,
  definitionsSection,
  expertsSection,
  inputsSection,
  ledgerSection,
  memorySection,
  timeSection,
} from "./terminal-system.ts";
import type { TerminalView } from "./terminal-view.ts";
import { plainStyle, type TextStyle } from "./text-table.ts";

/** How much a summary shows. */
export type SummaryMode = "full" | "compact";

/** Lines are at most this wide where nothing says how wide the terminal is. */
const defaultWidth = 112;

/**
 * The forecast as text for a terminal of `width` cells. `compact` is the beginning of `full`: it ends after verdicts,
 * latency, throughput and the comparison with a baseline.
 */
export function terminalSummary(
  forecast: Forecast,
  style: TextStyle = plainStyle,
  mode: SummaryMode = "full",
  width = defaultWidth,
): string {
  const view: TerminalView = { style, width };
  const service = [titleSection, sloSection, latencySection, throughputSection, baselineSection];
  const system = [
    expertsSection,
    cacheSection,
    memorySection,
    timeSection,
    ledgerSection,
    inputsSection,
    definitionsSection,
  ];
  return `${(mode === "compact" ? service : [...service, ...system])
    .map((section) => section(forecast, view))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
