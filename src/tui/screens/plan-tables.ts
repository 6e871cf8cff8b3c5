import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";
import { cutLines } from "../view/cut-lines.ts";
import type { PlanRows, PlanState } from "./plan-choice.ts";
import { toneOf } from "./plan-columns.ts";
import { planFacts } from "./plan-facts.ts";

/** The candidates of the view, and below them on a large terminal why others failed. */
export function candidateTable(
  own: PlanState,
  document: PlanDocument,
  { candidates: { columns, sorted, rows, problem }, at }: PlanRows,
  left: Size,
  table: Size,
  palette: Palette,
): string[] {
  const all = document.candidates;
  const { filter, cause, descending } = own.view;
  const counted =
    rows.length === all.length
      ? `${formatCount(all.length)}`
      : `${formatCount(rows.length)} of ${formatCount(all.length)}`;
  const how = [
    ...(cause === null ? [] : [`${cause.status}: ${cause.cause} (Esc: all)`]),
    ...(filter.trim() === "" ? [] : [`with ${filter.trim()}`]),
  ].join(", ");
  const hint = how === "" ? palette.dim("/ filters, such as feasible tp8 devices<=8 tpot<30ms") : oneLine(how);
  const visible = visibleRows(rows.length, table.height);
  const lines = scrollTable(
    {
      columns,
      rows: rows.length,
      cell: (row, column) => columns[column]!.text(all[rows[row]!]!),
      tone: (row) => toneOf(all[rows[row]!]!),
    },
    table,
    palette,
    {
      from: tableFrom(at, own.from.candidates, rows.length, visible),
      selected: at,
      sorted: { column: sorted, descending },
    },
  );
  const head = `${palette.bold(`${counted} candidates`)}  ${problem === null ? hint : palette.warn(oneLine(problem))}`;
  const spare = left.height - table.height - 1;
  const below = spare > 2 ? failureTable(document, { width: left.width, height: spare - 2 }, palette, null) : [];
  if (below.length === 0) return clip([head, ...lines], left);
  const filled = [...lines, ...new Array<string>(Math.max(0, table.height - lines.length)).fill("")];
  return clip([head, ...filled, "", palette.bold("Why others failed"), ...below], left);
}

/** Causes with how many candidates each excluded; a row is selected where `at` says so. */
export function failureTable(
  document: PlanDocument,
  size: Size,
  palette: Palette,
  at: { readonly row: number; readonly from: number } | null,
): string[] {
  const { causes } = planFacts(document);
  return scrollTable(
    {
      columns: [
        { header: "how many", align: "right" },
        { header: "status", min: 10 },
        { header: "cause", min: 16 },
        { header: "such as", min: 16, dispensable: 1 },
      ],
      rows: causes.length,
      cell: (row, column) => {
        const { count, status, cause, reason } = causes[row]!;
        return [formatCount(count), status, cause, reason.split("\n")[0] ?? ""][column]!;
      },
    },
    size,
    palette,
    at === null
      ? { from: 0 }
      : { from: tableFrom(at.row, at.from, causes.length, visibleRows(causes.length, size.height)), selected: at.row },
  );
}

/** Why candidates were not chosen, with the reason of one of them. */
export function failureLines(
  own: PlanState,
  document: PlanDocument,
  { at }: PlanRows,
  room: Size,
  table: Size,
  palette: Palette,
): string[] {
  const { causes } = planFacts(document);
  if (causes.length === 0) return [palette.dim("none failed: every candidate that was run meets the SLOs")];
  const rows = failureTable(document, table, palette, { row: at, from: own.from.failures });
  const { count, reason } = causes[at]!;
  const about = `${palette.bold("Why others failed")}  ${palette.dim(`Enter shows the ${formatCount(count)} of a cause`)}`;
  const below = { width: room.width, height: Math.max(0, room.height - rows.length - 2) };
  const lines = reason.split("\n").flatMap((line) => wrap(line, room.width));
  return clip([about, ...rows, "", ...cutLines(lines, below, palette, "p shows the whole page")], room);
}
