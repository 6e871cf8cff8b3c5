import { csvCell } from "../core/csv-cell.ts";
import { canonicalJson } from "../core/json.ts";
import { escapeUnsafe } from "../core/printable.ts";
import { markdownPage } from "./page-markdown.ts";
import { scatterSvg } from "./scatter-svg.ts";
import type { DataCell, ValidationPage } from "./validation-page.ts";

/** A validation as the document that `--json` prints, and as the page made of it. */
export interface ValidationReport {
  readonly document: unknown;
  readonly page: ValidationPage;
}

/** Renders a validation into one file. Pure: the caller writes it; equal validations give equal bytes. */
export interface ValidationExporter {
  readonly description: string;
  render(report: ValidationReport): string;
}

const cell = (value: DataCell): string =>
  value === null ? "" : typeof value === "string" ? csvCell(value) : String(value);

/** Output formats of `--export FORMAT=PATH` for validations. */
export const validationExporters = {
  json: {
    description: "the whole validation, versioned (schemaVersion)",
    render: ({ document }) => `${escapeUnsafe(canonicalJson(document, 2))}\n`,
  },
  csv: {
    description: "one row for every compared point, unrounded",
    render: ({ page }) => `${[page.data.header, ...page.data.rows].map((row) => row.map(cell).join(",")).join("\n")}\n`,
  },
  markdown: { description: "headline, tables and the plot as text", render: ({ page }) => markdownPage(page) },
  svg: {
    description: "forecast against measured values as a drawing",
    render: ({ page }) => {
      const scatter = page.sections.find((section) => section.kind === "scatter");
      return scatterSvg(scatter?.plot ?? { quantity: "", unit: "", points: [] }, scatter?.title ?? page.title);
    },
  },
} as const satisfies Record<string, ValidationExporter>;

export type ValidationFormat = keyof typeof validationExporters;
