import { formatNumber } from "../../core/units.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import { planPointsNote } from "../../report/plan-frontier.ts";
import { dotPlot } from "../../report/widgets/dot-plot.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";
import type { Choice } from "./plan-choice.ts";
import { planFacts } from "./plan-facts.ts";

/** Fewer lines than these have no title above a plot. */
const linesForTitle = 14;

/** Throughput of a device against speed of a user, with the selected candidate in it. */
export function pointsPlot(document: PlanDocument, choice: Choice | null, size: Size, palette: Palette): string[] {
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
export function frontierLines(
  document: PlanDocument,
  choice: Choice | null,
  { width, height }: Size,
  palette: Palette,
): string[] {
  if (height < linesForTitle) return pointsPlot(document, choice, { width, height }, palette);
  const title = `${palette.bold("Throughput against interactivity")}  ${palette.dim(planPointsNote(document))}`;
  return [...clip([title], { width, height }), ...pointsPlot(document, choice, { width, height: height - 1 }, palette)];
}
