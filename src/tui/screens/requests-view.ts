import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/units.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { fitLine, type Size, styledWidth, type Tone } from "../../report/widgets/styled-text.ts";
import { type RequestRows, requestStatus } from "../../sim/result.ts";
import { requestColumns } from "./request-columns.ts";
import { type RequestView, type ShownRequests, shownRequests } from "./request-order.ts";
import { spreadPlot } from "./request-spread.ts";

/** Where a table of requests is, beside its order and filter. */
export interface RequestPlace extends RequestView {
  readonly selected: number;
  readonly from: number;
}

/** Lines above the table, and those of the plot below it with a free one, on screens that are high enough for it. */
const headLines = 2;
const plotLines = 12;

/** Columns that tell requests apart: a single class does not. */
export const columnsOf = ({ classes }: RequestRows): readonly number[] =>
  requestColumns.flatMap(({ id }, at) => (id === "class" && classes.length < 2 ? [] : [at]));

const isPlotted = ({ column }: RequestView): boolean =>
  requestColumns[column]!.unit !== "name" && requestColumns[column]!.id !== "id";

/** Lines of the table. */
export const tableHeight = (view: RequestView, { height }: Size): number =>
  Math.max(1, height - headLines - (isPlotted(view) && height >= 2.5 * plotLines ? plotLines : 0));

/** All requests of a run, in an order, or those that a filter leaves. */
export function requestsView(rows: RequestRows, place: RequestPlace, area: Size, palette: Palette): readonly string[] {
  const shown = shownRequests(rows, place);
  const height = tableHeight(place, area);
  const plotHeight = area.height - headLines - height - 1;
  const table = tableLines(rows, shown, place, { width: area.width, height }, palette);
  return [
    headLine(rows, shown, place, area.width, palette),
    filterLine(shown, place, palette),
    ...table,
    ...(plotHeight < plotLines - 1
      ? []
      : [
          ...Array.from({ length: height - table.length + 1 }, () => ""),
          ...spreadPlot(rows, place, shown, { width: area.width, height: plotHeight }, palette),
        ]),
  ].map((line) => fitLine(line, area.width, palette.glyphs.ellipsis).trimEnd());
}

/** How many there are, and what the sorted column comes to over them. */
function headLine(
  rows: RequestRows,
  { requests, known, median, p99 }: ShownRequests,
  view: RequestView,
  width: number,
  palette: Palette,
): string {
  const { header, unit } = requestColumns[view.column]!;
  const figure = (value: number) => (unit === "duration" ? formatDuration(value) : formatNumber(value, 4));
  const all = formatCount(rows.count);
  const parts = [
    requests.length === rows.count ? `${all} requests` : `${formatCount(requests.length)} of ${all} requests`,
    !isPlotted(view) || known === 0
      ? ""
      : `${header} median ${figure(median)}, p99 ${figure(p99)}${known === requests.length ? "" : `, of ${formatCount(known)}`}`,
    rows.warmup > 0 ? palette.dim(`with the ${formatCount(rows.warmup)} of the warm-up`) : "",
  ];
  return parts
    .filter((part) => part !== "")
    .reduce((line, part) => (styledWidth(`${line}  ${part}`) > width ? line : `${line}  ${part}`));
}

function filterLine({ problem }: ShownRequests, { filter }: RequestView, palette: Palette): string {
  if (problem !== null) return palette.warn(oneLine(problem));
  if (filter.trim() !== "") return `with ${oneLine(filter)}`;
  return palette.dim("Enter follows one, / filters: ttft>500ms class=chat !preempted replica=2 17");
}

function tableLines(
  rows: RequestRows,
  { requests }: ShownRequests,
  { column, descending, selected, from }: RequestPlace,
  size: Size,
  palette: Palette,
): string[] {
  const columns = columnsOf(rows);
  const at = Math.max(0, Math.min(selected, requests.length - 1));
  return scrollTable(
    {
      columns: columns.map((one) => {
        const { header, unit, dispensable } = requestColumns[one]!;
        return { header, ...(unit === "name" ? { min: 6 } : { align: "right" as const }), dispensable };
      }),
      rows: requests.length,
      cell: (row, shown) => requestColumns[columns[shown]!]!.text(rows, requests[row]!),
      tone: (row) => toneOf(rows, requests[row]!),
    },
    size,
    palette,
    {
      from: tableFrom(at, from, requests.length, visibleRows(requests.length, size.height)),
      selected: at,
      sorted: { column: columns.indexOf(column), descending },
    },
  );
}

function toneOf({ status, preemptions }: RequestRows, request: number): Tone | undefined {
  if (status[request] === requestStatus.rejected) return "bad";
  if (status[request] !== requestStatus.completed) return "dim";
  return preemptions[request]! > 0 ? "warn" : undefined;
}
