import { formatCount, formatNumber } from "../../core/units.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import { milliseconds } from "../../report/labels.ts";
import { terminalPage, terminalSection } from "../../report/page-terminal.ts";
import { planPointsNote } from "../../report/plan-frontier.ts";
import { planNotes, planPage, planSections } from "../../report/plan-page.ts";
import { wrap } from "../../report/text-table.ts";
import { dotPlot } from "../../report/widgets/dot-plot.ts";
import { type Palette, plainPalette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, clip, type Size } from "../../report/widgets/styled-text.ts";
import type { OpenPlan } from "../state/core.ts";
import { isWide } from "../view/layout.ts";
import { rememberLast } from "../view/remember-last.ts";
import { scrolledText } from "../view/scrolled.ts";
import { candidateLines } from "./plan-candidate.ts";
import { type Choice, type PlanRows, type PlanState, planRows } from "./plan-choice.ts";
import { toneOf } from "./plan-columns.ts";
import { planFacts } from "./plan-facts.ts";
import { planHead } from "./plan-head.ts";

/** Lines of the selected candidate below a table, where there is one column. */
const choiceHeight = 5;
/** The same below a plot, which needs more of the room. */
const pointHeight = 4;
/** Fewer lines than these have no title above a plot. */
const linesForTitle = 14;
const gap = 3;
/** Rows of failures below the candidates of a large terminal. */
const failuresHeight = 8;
const linesForFailures = 40;

/** The room below the head, and what of it the table of the part has. */
export interface PlanLayout {
  readonly room: Size;
  readonly table: Size;
}

export function planLayout(own: PlanState, open: OpenPlan, area: Size, palette: Palette): PlanLayout {
  const room = { width: area.width, height: Math.max(0, area.height - planHead(own, open, area, palette).length) };
  const left = isWide(area) ? Math.floor(area.width * 0.58) : area.width;
  const found = open.document.objectives[own.view.objective]?.found.length ?? 0;
  const height = {
    answer: Math.min(found + 1, isWide(area) ? 12 : 8, Math.max(2, Math.floor(room.height / 2))),
    candidates: isWide(area)
      ? room.height - 1 - (room.height >= linesForFailures ? failuresHeight + 3 : 0)
      : room.height - choiceHeight - 1,
    frontier: 1,
    failures: room.height - 5,
    page: room.height,
  }[own.part];
  const width = own.part === "failures" ? area.width : left;
  return { room, table: { width, height: Math.max(1, height) } };
}

/** A plan on a screen. */
export function planView(own: PlanState, open: OpenPlan, area: Size, palette: Palette): readonly string[] {
  const { document } = open;
  const head = planHead(own, open, area, palette);
  const layout = planLayout(own, open, area, palette);
  const rows = planRows(own, document);
  const { room } = layout;
  if (own.part === "page")
    return [...head, ...scrolledText(keptPage(document, area.width, palette), own.from.page, room, palette)];
  if (own.open !== null && rows.choice !== null)
    return [...head, ...scrolledText(choiceLines(document, rows.choice, area.width, palette), own.open, room, palette)];
  const body =
    own.part === "failures"
      ? failuresView(own, document, rows, layout, palette)
      : columnsView(own, document, rows, layout, palette);
  return [...head, ...body];
}

/** The whole page, as `moecast plan` prints it. */
const pageLines = (document: PlanDocument, width: number, palette: Palette): string[] =>
  terminalPage(planPage(document), palette, width).trimEnd().split("\n");
const keptPage = rememberLast(pageLines);

/** How many lines the page has. */
export const pageLength = rememberLast(
  (document: PlanDocument, width: number) => pageLines(document, width, plainPalette).length,
);

/** All of a choice, its point first. */
export function choiceLines(
  document: PlanDocument,
  { candidate, load, point }: Choice,
  width: number,
  palette: Palette,
): string[] {
  const clients =
    point?.loop == null ? "" : `, ${formatCount(point.loop.clients)} client${point.loop.clients === 1 ? "" : "s"}`;
  return [
    ...(point === null
      ? []
      : wrap(
          `X ${formatNumber(point.perUser)} tok/s of a user, ${formatNumber(point.perDevice, 4)} of a device${clients}`,
          width,
        ).map(palette.accent)),
    ...candidateLines(document, candidate, load, width, palette),
  ];
}

/** A table or a plot at the left, the selected candidate at the right, or below. */
function columnsView(
  own: PlanState,
  document: PlanDocument,
  rows: PlanRows,
  { room, table }: PlanLayout,
  palette: Palette,
): string[] {
  const { choice } = rows;
  const isTwo = isWide(room);
  const left = { width: table.width, height: isTwo ? room.height : room.height - choiceHeight };
  const main =
    own.part === "answer"
      ? answerLines(own, document, rows, { ...left, height: room.height }, table, palette)
      : own.part === "candidates"
        ? candidateTable(own, document, rows, left, table, palette)
        : frontierLines(document, choice, isTwo ? left : { ...left, height: room.height - pointHeight }, palette);
  const about = (width: number) =>
    choice === null ? [palette.dim("nothing is selected")] : choiceLines(document, choice, width, palette);
  if (!isTwo) {
    if (own.part === "answer") return main;
    const lines = Math.max(0, room.height - main.length);
    return [...main, ...cutLines(about(room.width), { width: room.width, height: lines }, palette, "d shows all")];
  }
  const right = room.width - table.width - gap;
  const plotHeight =
    own.part !== "frontier" && planFacts(document).points.length > 1 ? Math.min(20, Math.floor(room.height / 2)) : 0;
  const details = { width: right, height: Math.max(0, room.height - plotHeight - (plotHeight > 0 ? 1 : 0)) };
  const plot =
    plotHeight === 0 ? [] : ["", ...pointsPlot(document, choice, { width: right, height: plotHeight }, palette)];
  const side = cutLines(about(right), details, palette, "d shows all");
  return beside(
    main,
    [...side, ...new Array<string>(details.height - side.length).fill(""), ...plot],
    table.width,
    gap,
  );
}

/** The first lines that fit; the last of them says that there are more. */
function cutLines(lines: readonly string[], size: Size, palette: Palette, how: string): string[] {
  if (lines.length <= size.height) return clip(lines, size);
  const kept = lines.slice(0, Math.max(0, size.height - 1));
  return clip([...kept, palette.dim(`${formatCount(lines.length - kept.length)} more lines: ${how}`)], size);
}

/** What was found by an objective, and what is known of it. */
function answerLines(
  own: PlanState,
  document: PlanDocument,
  { found, at }: PlanRows,
  { width, height }: Size,
  table: Size,
  palette: Palette,
): string[] {
  const { known } = planFacts(document);
  const answer = document.objectives[own.view.objective];
  const several =
    document.objectives.length > 1
      ? `  ${palette.dim(`o: by the next of ${formatCount(document.objectives.length)} objectives`)}`
      : "";
  const title =
    palette.bold(answer === undefined ? "Nothing was looked for" : `Deployments by ${answer.title}`) + several;
  const visible = visibleRows(found.length, table.height);
  const candidate = (row: number) => known.get(found[row]!.id)!;
  const rows = scrollTable(
    {
      columns: [
        { header: "deployment", min: 24 },
        { header: "objective", align: "right" },
        { header: "devices", align: "right", dispensable: 2 },
        { header: "$/h", align: "right", dispensable: 4 },
        { header: "tightest", align: "right", dispensable: 3 },
        { header: "TPOT p50", align: "right", dispensable: 5 },
        { header: "TTFT p99", align: "right", dispensable: 6 },
      ],
      rows: found.length,
      cell: (row, column) => {
        const { text, shown } = found[row]!;
        const { name, devices, usdPerHour } = candidate(row);
        return [
          name,
          text,
          formatCount(devices),
          usdPerHour === null ? "-" : formatNumber(usdPerHour, 4),
          shown?.strain == null ? "-" : `${formatNumber(100 * shown.strain, 3)}%`,
          shown === null ? "-" : milliseconds(shown.tpotP50Ms),
          shown === null ? "-" : milliseconds(shown.ttftP99Ms),
        ][column]!;
      },
    },
    table,
    palette,
    { from: tableFrom(at, own.from.answer, found.length, visible), selected: at },
  );
  const none = [
    palette.dim(answer?.closest == null ? "none meets the SLOs" : "none meets the SLOs: the closest one is selected"),
    "",
    palette.bold("Why others failed"),
    ...failureTable(document, { width, height: planFacts(document).causes.length + 1 }, palette, null),
  ];
  const lines = [title, ...(found.length === 0 ? none : rows), "", ...aboutLines(document, width, palette)];
  return cutLines(lines, { width, height }, palette, "p shows the whole page");
}

/** Notes, chances, kinds of hardware, other questions. */
const aboutLines = rememberLast((document: PlanDocument, width: number, palette: Palette): string[] => {
  const notes = planNotes(document).flatMap(({ text, tone }) =>
    wrap(text, width).map((line) => (tone === undefined ? line : palette[tone](line))),
  );
  const sections = planSections(document).map((section) => terminalSection(section, palette, width));
  return [notes, ...sections].filter((lines) => lines.length > 0).flatMap((lines) => [...lines, ""]);
});

function candidateTable(
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
  const hint = how === "" ? palette.dim("/ filters, such as feasible tp8 devices<=8 tpot<30ms") : how;
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
  const head = `${palette.bold(`${counted} candidates`)}  ${problem === null ? hint : palette.warn(problem)}`;
  const spare = left.height - table.height - 1;
  const below =
    isWide(left) || spare >= failuresHeight
      ? failureTable(document, { width: left.width, height: spare - 2 }, palette, null)
      : [];
  if (below.length === 0) return clip([head, ...lines], left);
  const filled = [...lines, ...new Array<string>(Math.max(0, table.height - lines.length)).fill("")];
  return clip([head, ...filled, "", palette.bold("Why others failed"), ...below], left);
}

/** Throughput of a device against speed of a user, with the selected candidate in it. */
function pointsPlot(document: PlanDocument, choice: Choice | null, size: Size, palette: Palette): string[] {
  const { points, series } = planFacts(document);
  if (points.length === 0) return [palette.dim("no candidate was run: there is no point to show")];
  const own =
    choice === null
      ? []
      : choice.point !== null
        ? [choice.point]
        : points.filter(({ id }) => id === choice.candidate.id);
  const selected = {
    name: "selected",
    x: own.map(({ perUser }) => perUser),
    y: own.map(({ perDevice }) => perDevice),
    sign: "X",
  };
  return dotPlot(
    {
      series: own.length === 0 ? series : [...series, selected],
      xLabel: "tokens/s of a user (median)",
      yLabel: "Output tokens/s of a device by those of a user",
      formatX: (value) => formatNumber(value),
      formatY: (value) => formatNumber(value),
    },
    size,
    palette,
  );
}

/** The plot of all points, and what they are of. */
function frontierLines(
  document: PlanDocument,
  choice: Choice | null,
  { width, height }: Size,
  palette: Palette,
): string[] {
  if (height < linesForTitle) return pointsPlot(document, choice, { width, height }, palette);
  const title = `${palette.bold("Throughput against interactivity")}  ${palette.dim(planPointsNote(document))}`;
  return [...clip([title], { width, height }), ...pointsPlot(document, choice, { width, height: height - 1 }, palette)];
}

function failureTable(
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
function failuresView(
  own: PlanState,
  document: PlanDocument,
  { at }: PlanRows,
  { room, table }: PlanLayout,
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
