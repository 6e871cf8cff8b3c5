import { version } from "../../core/version.ts";
import { type Comparison, cautionKinds, type ResultComparison } from "../../forecast/compare/comparison.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { headline } from "../headline.ts";
import { isOfSeveral, toldCells, toldHeader } from "./change-cells.ts";
import { detailParts } from "./comment-details.ts";
import { commentVerdict, headingOf, headlineSentence } from "./comment-headline.ts";
import { markerOf } from "./comment-marker.ts";
import { fitParts } from "./fit-parts.ts";
import { cutText, inertTable, inertText, shortName } from "./inert-text.ts";
import { onePerFamily, toldChanges } from "./told-changes.ts";

/** For whom a comment is rendered. */
export interface CommentForm {
  readonly tag: string;
  /** What the host calls itself, and the bytes that a comment may have there. */
  readonly host: string;
  readonly bytesMax: number;
}

/** Rows of the table that is not folded: the first of each kind. */
const toldMax = 12;
/** Scenarios that are named one by one outside of folded parts. */
const namedMax = 10;

/** Results against a baseline as a comment: what changed beyond noise, and folded away all there is. */
export function comparisonComment(comparison: Comparison, results: readonly Forecast[], form: CommentForm): string {
  const told = toldChanges(comparison);
  const several = isOfSeveral(comparison);
  const rows = onePerFamily(told)
    .slice(0, toldMax)
    .map((change) => toldCells(change, several));
  const more = told.length - rows.length;
  const head = [
    `### ${inertText(commentVerdict(comparison), 300)}`,
    "",
    inertText(headlineSentence(comparison, told), 1000),
    "",
    ...(rows.length === 0 ? [] : inertTable(toldHeader(several), rows, { rowsMax: toldMax })),
    ...(more === 0 ? [] : [`and ${more} more in the tables below`, ""]),
    ...listed(unmatchedLines(comparison, results)),
    ...listed(
      comparison.scenarios.flatMap(({ scenario, against }) => against.flatMap((one) => notes(scenario, one, several))),
    ),
    inertText(basis(comparison), 300),
    "",
  ];
  return whole(head, detailParts(comparison, several), form);
}

/** What made the comparison, and what it stands on. */
function basis({ files, scenarios }: Comparison): string {
  const shared = scenarios.every(({ against }) => against.every(({ otherDraws }) => otherDraws.length === 0));
  const draws = shared ? "; both drew the same, so what differs comes from the change" : "";
  return `moecast ${version}, against ${cutText(files[0] ?? "", 100)}${draws}.`;
}

/** Results alone, where there is no baseline to hold them against. */
export function forecastComment(results: readonly Forecast[], form: CommentForm): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const verdict = failed === 0 ? "PASS" : `FAIL: ${failed} of ${results.length} scenarios`;
  const rows = results.map((forecast) => [forecast.scenario.name, headline(forecast)]);
  const head = [
    `### ${inertText(headingOf(results.map(({ scenario }) => scenario.name)))}: ${verdict}`,
    "",
    ...inertTable(["scenario", "forecast"], rows, { rowsMax: 50, cellMax: 300 }),
    `moecast ${version}; there is no baseline yet to compare with.`,
    "",
  ];
  return whole(head, [], form);
}

/** What takes the place of a comment once its reason is gone. */
export const quietComment = ({ tag }: Pick<CommentForm, "tag">): string =>
  `${markerOf(tag)}\n### Forecasts: no difference\n\nNo forecast differs from the baseline any more.\n`;

const whole = (head: readonly string[], parts: readonly string[], { tag, host, bytesMax }: CommentForm): string =>
  fitParts(
    [markerOf(tag), ...head, ""].join("\n"),
    parts,
    bytesMax,
    (left) => `\n${left} parts of the details are left out: a comment on ${host} holds ${bytesMax} bytes.\n`,
  );

/** Lines as a list, the first of them; text never begins a line. */
function listed(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - namedMax;
  return [
    ...lines.slice(0, namedMax).map((line) => `- ${inertText(line, 300)}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
    "",
  ];
}

/** Scenarios that the baseline or the results lack. */
function unmatchedLines({ unmatched }: Comparison, results: readonly Forecast[]): string[] {
  return unmatched.map(({ scenario, presentIn }) => {
    if (presentIn.includes(0)) return `${shortName(scenario)}: in the baseline, and without a forecast now`;
    const now = results.find((forecast) => forecast.scenario.name === scenario);
    return `${shortName(scenario)}: new${now === undefined ? "" : `. ${headline(now)}`}`;
  });
}

/** What a reader has to know of a comparison before its figures. */
function notes(scenario: string, { cautions, otherDraws }: ResultComparison, named: boolean): string[] {
  const of = named ? `${shortName(scenario)}: ` : "";
  return [
    ...cautions.map(
      ({ kind, of: which }) => `${of}the ${which === "base" ? "baseline" : "result"} ${cautionKinds[kind]}`,
    ),
    ...(otherDraws.length === 0
      ? []
      : [`${of}the two drew other ${otherDraws.join(", ")}: what differs may be their noise`]),
  ];
}
