import type { Json } from "../../../core/json.ts";

/** A row of a table: the cells of a delimited one as a list of text, or a JSON value. */
export interface TableRecord {
  readonly file: string;
  readonly line: number;
  readonly value: Json;
}
