import type { Forecast } from "../../forecast/forecast.ts";
import { forecastPage } from "../../report/forecast-page.ts";
import { inputsSection, ledgerSection } from "../../report/forecast-system.ts";
import { bandBasisLabel, bandLabels } from "../../report/labels.ts";
import type { Page } from "../../report/page.ts";
import { terminalPage } from "../../report/page-terminal.ts";
import { type Palette, plainPalette } from "../../report/widgets/palette.ts";
import { moveKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { rememberLast } from "../view/remember-last.ts";
import { scrolledText, scrolledTo } from "../view/scrolled.ts";
import { type Screen, screen } from "./screen.ts";

/** What the ledger screen remembers. */
export interface LedgerState {
  readonly from: number;
  /** Whether all of the report is shown, as `moecast run --summary full` prints it. */
  readonly whole: boolean;
  readonly filter: string;
}

/** What the figures of a forecast rest on: the band, how each number came about, the inputs. */
function ledgerPage(forecast: Forecast): Page {
  const { scenario, moecastVersion, seed, bands } = forecast;
  return {
    title: scenario.name,
    aside: `moecast ${moecastVersion}, seed ${seed}`,
    subtitle: [
      { text: "What the figures rest on: each was measured, fitted, taken from a vendor, or assumed.", quiet: true },
    ],
    headline:
      bands === null
        ? ["no error band: the result is of an earlier release"]
        : bandLabels(forecast).length === 0
          ? ["no error band: there is no latency to put one around"]
          : [`${Math.round(bands.nominal * 100)}% of measurements lie within`, ...bandLabels(forecast)],
    notes:
      bands === null
        ? []
        : [
            { text: bandBasisLabel(bands), quiet: true },
            ...(bands.unvalidated === null
              ? []
              : [{ text: `unvalidated: ${bands.unvalidated}`, tone: "warn" } as const]),
          ],
    sections: [...ledgerSection(forecast, "full"), ...inputsSection(forecast)],
  };
}

function makeLines(
  forecast: Forecast,
  whole: boolean,
  filter: string,
  width: number,
  palette: Palette,
): readonly string[] {
  const page = whole ? forecastPage(forecast, "full") : ledgerPage(forecast);
  const wanted = filter.trim().toLowerCase();
  const lines = terminalPage(page, palette, Math.max(40, width - 1))
    .trimEnd()
    .split("\n");
  return wanted === "" ? lines : lines.filter((line) => line.toLowerCase().includes(wanted));
}

const shownLines = rememberLast(makeLines);
/** Of the same lines without colours. */
const countLines = rememberLast(
  (forecast: Forecast, whole: boolean, filter: string, width: number) =>
    makeLines(forecast, whole, filter, width, plainPalette).length,
);

const forecastOf = (core: Core): Forecast | null => currentRun(core)?.forecast ?? null;

/** What the figures rest on, and the whole report. */
export const ledgerScreen = screen<LedgerState>({
  id: "ledger",
  title: "Ledger",
  start: { from: 0, whole: false, filter: "" },
  keys: [
    { action: "whole", keys: ["t"], help: "ledger / whole report" },
    { action: "filter", keys: ["/"], help: "filter" },
    ...moveKeys,
  ],
  words: [
    ["band", "80 of 100 measurements fell within it, on deployments that no fit had seen"],
    ["unvalidated", "nothing near this deployment was measured"],
    ["measured", "on real hardware"],
    ["vendor", "a data sheet or a published configuration"],
    ["assumed", "nothing better is known"],
  ],
  missing: (core) =>
    forecastOf(core) === null ? "No result yet: figures rest on something once a run has ended." : null,
  act: (own, action, core, area) => {
    if (action === "whole") return { own: { ...own, whole: !own.whole, from: 0 } };
    if (action === "filter") return { intents: [filterPrompt(own.filter, "lines with")] };
    const forecast = forecastOf(core);
    const count = forecast === null ? 0 : countLines(forecast, own.whole, own.filter, area.width);
    return { own: { ...own, from: scrolledTo(own.from, action, count, area) } };
  },
  typed: (own, kind, text) => (kind === "filter" ? { own: { ...own, filter: text, from: 0 } } : {}),
  view: (own, core, area, palette) =>
    scrolledText(shownLines(forecastOf(core)!, own.whole, own.filter, area.width, palette), own.from, area, palette),
} satisfies Screen<LedgerState>);
