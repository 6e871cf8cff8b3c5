import type { TableRecord } from "./table-record.ts";

/** What a table holds beside cells. */
export interface Tally {
  /** Records that have none of the fields, and the first of them. */
  others: number;
  firstOther: TableRecord | null;
  /** Rows of a token and layer, or lists of such, without any expert. */
  empty: number;
}

export const emptyTally = (): Tally => ({ others: 0, firstOther: null, empty: 0 });
