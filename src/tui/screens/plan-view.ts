import { formatCount, formatNumber } from "../../core/units.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import { terminalPage } from "../../report/page-terminal.ts";
import { planPage } from "../../report/plan-page.ts";
import { wrap } from "../../report/text-table.ts";
import { type Palette, plainPalette } from "../../report/widgets/palette.ts";
import { beside, clip, type Size } from "../../report/widgets/styled-text.ts";
import type { OpenPlan } from "../state/core.ts";
import { cutLines } from "../view/cut-lines.ts";
import { isWide } from "../view/layout.ts";
import { rememberLast } from "../view/remember-last.ts";
import { scrolledText } from "../view/scrolled.ts";
import { answerLines } from "./plan-answer.ts";
import { candidateLines } from "./plan-candidate.ts";
import { type Choice, type PlanRows, type PlanState, planRows } from "./plan-choice.ts";
import { planFacts } from "./plan-facts.ts";
import { planHead } from "./plan-head.ts";
import { frontierLines, pointsPlot } from "./plan-plot.ts";
import { candidateTable, failureLines } from "./plan-tables.ts";

/** Lines of the selected candidate below a table, where there is one column. */
const choiceHeight = 5;
/** The same below a plot, which needs more of the room. */
const pointHeight = 4;
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
    return clip(
      [...head, ...scrolledText(keptPage(document, area.width, palette), own.from.page, room, palette)],
      area,
    );
  if (own.open !== null && rows.choice !== null)
    return clip(
      [...head, ...scrolledText(choiceLines(document, rows.choice, area.width, palette), own.open, room, palette)],
      area,
    );
  const body =
    own.part === "failures"
      ? failureLines(own, document, rows, room, layout.table, palette)
      : columnsView(own, document, rows, layout, palette);
  return clip([...head, ...body], area);
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
