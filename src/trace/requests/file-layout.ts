import { refuse } from "../../core/errors.ts";
import type { LoadRequestsOptions } from "./load-options.ts";
import type { RequestFormat, TableRules } from "./request-format.ts";
import { layoutIn, type RequestFormatName, recogniseRequestFormat, requestFormats } from "./request-formats.ts";
import { columnsOf, type FieldColumns } from "./table-columns.ts";

/** A format for one file: of a table, the one of its layouts that the file has, with its columns. */
export type FileLayout =
  | { readonly kind: "table"; readonly rules: TableRules; readonly columns: FieldColumns }
  | (RequestFormat & { readonly kind: "document" });

/** What is known of a table whose columns the user named. */
const named: TableRules = { fromUser: true, untimed: true, timeUnit: null, blockTokens: null };

/** The layout of a file that begins with `head`. */
export function layoutOf(
  format: RequestFormatName | "auto",
  head: string,
  file: string,
  { columns }: LoadRequestsOptions,
): FileLayout {
  if (columns !== undefined) {
    if (format === "auto") return { kind: "table", rules: named, columns };
    return refuse({ at: "columns", expected: "columns without a format, or a format alone", found: format });
  }
  const known: RequestFormat = requestFormats[format === "auto" ? recogniseRequestFormat(head, file) : format];
  if (known.kind === "document") return known;
  const layout = layoutIn(known, head) ?? known.layouts[0]!;
  return { kind: "table", rules: layout, columns: columnsOf(layout.columns) };
}
