import { oneLine } from "../../core/printable.ts";
import { formatCount, formatNumber, formatPercent } from "../../core/units.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import { milliseconds } from "../../report/labels.ts";
import { terminalSection } from "../../report/page-terminal.ts";
import { planNotes, planSections } from "../../report/plan-page.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import { cutLines } from "../view/cut-lines.ts";
import { rememberLast } from "../view/remember-last.ts";
import type { PlanRows, PlanState } from "./plan-choice.ts";
import { planFacts } from "./plan-facts.ts";
import { failureTable } from "./plan-tables.ts";

/** What was found by an objective, and what is known of it. */
export function answerLines(
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
    palette.bold(answer === undefined ? "Nothing was looked for" : `Deployments by ${oneLine(answer.title)}`) + several;
  const visible = visibleRows(found.length, table.height);
  const candidate = (row: number) => known.get(found[row]!.id)!;
  const rows = scrollTable(
    {
      columns: [
        { header: "deployment", min: 24 },
        { header: "objective", align: "right" },
        { header: "devices", align: "right", dispensable: 2 },
        { header: "$/h", align: "right", dispensable: 4 },
        { header: "tightest SLO", align: "right", dispensable: 3 },
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
          shown?.strain == null ? "-" : formatPercent(shown.strain, 0),
          shown?.tpotP50Ms == null ? "-" : milliseconds(shown.tpotP50Ms),
          shown?.ttftP99Ms == null ? "-" : milliseconds(shown.ttftP99Ms),
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
