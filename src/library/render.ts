import { refuse } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { AnyExporter } from "../report/exporter.ts";
import type { SummaryLevel } from "../report/summary-level.ts";

/** How forecasts are rendered. */
export interface RenderOptions {
  /** Scenarios of the same run that gave no forecast: formats for pipelines list them. */
  readonly failures?: readonly { readonly file: string; readonly message: string }[];
  /** Of the format `terminal`: how much is said (default standard), and the cells of a line (default as long as it is). */
  readonly summary?: SummaryLevel;
  readonly width?: number;
}

/**
 * Forecasts as text in a format of `moecast run --export`, or `terminal` for the summary that it prints, without colour.
 * @throws InvalidInputError for an unknown format, and for one that is made while the run goes on (details, requests)
 * @stable
 */
export async function render(
  format: string,
  forecasts: readonly Forecast[],
  options: RenderOptions = {},
): Promise<string> {
  const { failures = [], summary = "standard", width } = options;
  if (format === "terminal") {
    const { terminalSummary } = await import("../report/terminal.ts");
    const { plainStyle } = await import("../report/text-table.ts");
    return forecasts.map((one) => terminalSummary(one, plainStyle, summary, width)).join("\n");
  }
  const { exporters } = await import("../report/exporters.ts");
  const names = renderable(exporters);
  if (!names.includes(format)) {
    const near = closest(format, names);
    refuse({
      at: "format",
      expected: `one of terminal, ${names.join(", ")}`,
      found: format,
      ...(near === null ? {} : { hint: `did you mean ${near}?` }),
    });
  }
  const exporter: AnyExporter = exporters[format as keyof typeof exporters];
  const rendered = await exporter.render(forecasts, { failures });
  return typeof rendered === "string"
    ? rendered
    : refuse({ at: "format", expected: "a format of text", found: format });
}

/**
 * Formats that {@link render} knows.
 * @stable
 */
export async function renderFormats(): Promise<string[]> {
  const { exporters } = await import("../report/exporters.ts");
  return ["terminal", ...renderable(exporters)];
}

/** Formats that are made of forecasts alone. */
const renderable = (table: Readonly<Record<string, { readonly needsDetails?: boolean }>>): string[] =>
  Object.keys(table).filter((name) => table[name]!.needsDetails !== true);
