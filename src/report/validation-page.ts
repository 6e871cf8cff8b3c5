import type { ScatterPlot } from "./scatter.ts";
import type { Align } from "./text-table.ts";

/** A column of a table. Narrow terminals drop the columns with the lowest `dispensable` first; others stay. */
export interface PageColumn {
  readonly header: string;
  readonly align?: Align;
  readonly dispensable?: number;
}

/** One part of a page. */
export type PageSection =
  | {
      readonly kind: "table";
      readonly title: string;
      /** What the table shows, in a few words beside its title. */
      readonly note?: string;
      readonly columns: readonly PageColumn[];
      readonly rows: readonly (readonly string[])[];
      /** Of less interest: dimmed on a terminal, folded away in Markdown. */
      readonly quiet?: boolean;
    }
  | { readonly kind: "scatter"; readonly title: string; readonly plot: ScatterPlot };

/** A cell of the exported rows; null and undefined values are empty. */
export type DataCell = string | number | boolean | null;

/** A validation made ready for people and spreadsheets: every output format is a rendering of this. */
export interface ValidationPage {
  readonly title: string;
  /** What was compared with what, a line each. */
  readonly subtitle: readonly string[];
  readonly headline: string;
  readonly sections: readonly PageSection[];
  /** One row for every compared point, unrounded. */
  readonly data: { readonly header: readonly string[]; readonly rows: readonly (readonly DataCell[])[] };
}
