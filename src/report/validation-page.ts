import type { Page } from "./page.ts";

/** A cell of the exported rows; null and undefined values are empty. */
export type DataCell = string | number | boolean | null;

/** A validation made ready for people and spreadsheets: every output format is a rendering of this. */
export interface ValidationPage extends Page {
  /** One row for every compared point, unrounded. */
  readonly data: { readonly header: readonly string[]; readonly rows: readonly (readonly DataCell[])[] };
}
