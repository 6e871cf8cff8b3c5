import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import { headlineSeparator } from "../../report/page.ts";
import { planLoad } from "../../report/plan-verdict.ts";
import { wrapItems } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, type Size } from "../../report/widgets/styled-text.ts";
import type { OpenPlan } from "../state/core.ts";
import { type PlanState, planParts } from "./plan-choice.ts";
import { planFacts } from "./plan-facts.ts";

/** Lines of the verdict where there is little room: its last parts, which compare the answer, go first. */
const verdictMax = 3;
/** From so many lines on all of the verdict is shown. */
const linesForAll = 30;

/** What was asked, the answer, and the parts of the screen. */
export function planHead(
  own: PlanState,
  { file, document, hasScenario }: OpenPlan,
  area: Size,
  palette: Palette,
): string[] {
  const { width, height } = area;
  const { scenario, space, candidates, interrupted } = document;
  const { verdict, isFound } = planFacts(document);
  const { ellipsis, good, bad } = palette.glyphs;
  const cut = (line: string) => fitLine(line, width, ellipsis).trimEnd();
  const about = [
    `${formatCount(candidates.length)} deployments of ${formatCount(space.layouts)} layouts`,
    `at most ${formatCount(space.devicesMax)} devices${space.devicesAssumed ? " (no budget was stated)" : ""}`,
    ...(interrupted ? ["interrupted: what was found until then"] : []),
    oneLine(file),
  ].join("  ");
  const answer = wrapItems(verdict, headlineSeparator, width - 2);
  const shown = height < linesForAll && answer.length > verdictMax ? answer.slice(0, verdictMax) : answer;
  const tone = isFound ? palette.good : palette.bad;
  return [
    cut(`${palette.bold(oneLine(scenario.name))}  ${palette.dim(about)}`),
    ...shown.map((line, i) => {
      const isCut = shown.length < answer.length && i === shown.length - 1;
      const text = isCut ? `${line.slice(0, line.length - headlineSeparator.trimEnd().length)} ${ellipsis}` : line;
      return tone(cut(`${i === 0 ? `${isFound ? good : bad} ` : ""}${text}`));
    }),
    palette.dim(cut(oneLine(planLoad(document)))),
    ...(hasScenario
      ? []
      : [
          palette.warn(
            cut(
              `its scenario ${oneLine(scenario.file)} is not here: nothing can be run until moecast starts where it is`,
            ),
          ),
        ]),
    cut(tabs(own, palette)),
  ];
}

/** The parts by their keys, the one that is shown marked. */
const tabs = ({ part: shown }: PlanState, palette: Palette): string =>
  planParts
    .map((part) => {
      const text = ` ${partKeys[part]} ${partTitles[part]} `;
      return part === shown ? palette.inverse(text) : palette.dim(text);
    })
    .join(" ");

export const partKeys = { answer: "a", candidates: "c", frontier: "f", failures: "x", page: "p" } as const;
const partTitles = {
  answer: "answer",
  candidates: "candidates",
  frontier: "frontier",
  failures: "why others failed",
  page: "page",
} as const;
