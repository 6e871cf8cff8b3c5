import { formatCount } from "../../core/units.ts";
import type { Comparison } from "../../forecast/compare/comparison.ts";
import { changeCell, isOfSeveral } from "./change-cells.ts";
import { cutText, shortName } from "./inert-text.ts";
import type { ToldChange, ToldVerdict } from "./told-changes.ts";

/** `Forecast of chat: FAIL 3 regressions, 1 of 2 SLOs met`: the heading of a comment. */
export function commentVerdict(comparison: Comparison): string {
  const regressions = comparison.scenarios.flatMap(({ against }) => against.flatMap((result) => result.regressions));
  const { met, all } = slosMet(comparison);
  const gone = comparison.unmatched.filter(({ missingIn }) => missingIn.includes(1)).length;
  const parts = [
    ...(gone === 0 ? [] : [`no forecast of ${counted(gone, "scenario")}`]),
    regressions.length === 0 ? "no regression" : counted(regressions.length, "regression"),
    ...(all === 0 ? [] : [`${met} of ${all} SLOs met`]),
  ];
  const verdict = regressions.length > 0 || met < all || gone > 0 ? "FAIL" : "PASS";
  return `${headingOf(comparison.scenarios.map(({ scenario }) => scenario))}: ${verdict} ${parts.join(", ")}`;
}

/** What a comment is about. */
export const headingOf = (scenarios: readonly string[]): string =>
  scenarios.length === 1
    ? `Forecast of ${shortName(scenarios[0] ?? "")}`
    : `Forecasts of ${scenarios.length} scenarios`;

/** SLOs of level error in the results, and how many of them are met. */
function slosMet({ scenarios }: Comparison): { readonly met: number; readonly all: number } {
  const slos = scenarios
    .flatMap(({ against }) => against.flatMap(({ slos }) => slos))
    .filter(({ level, after }) => level === "error" && after !== null);
  return { met: slos.filter(({ after }) => after?.passed === true).length, all: slos.length };
}

/** What is said of so many metrics or SLOs of a verdict. */
const phrases: Readonly<Record<ToldVerdict, (count: number) => string>> = {
  broken: (count) => `${counted(count, "SLO")} ${count === 1 ? "fails" : "fail"} now`,
  regression: (count) => `${counted(count, "metric")} got worse beyond the limit`,
  warned: (count) => `${counted(count, "SLO")} of level warn ${count === 1 ? "fails" : "fail"} now`,
  worse: (count) => `${counted(count, "metric")} got worse within the limit`,
  gone: (count) => `${counted(count, "figure")} of before ${count === 1 ? "is" : "are"} missing`,
  met: (count) => `${counted(count, "SLO")} ${count === 1 ? "is" : "are"} met again`,
  better: (count) => `${counted(count, "metric")} got better`,
  added: (count) => `${counted(count, "figure")} ${count === 1 ? "is" : "are"} new`,
  unknown: (count) => `${counted(count, "metric")} changed and ${count === 1 ? "has" : "have"} no interval`,
};

/** One sentence: what got worse and better, with the most of each. */
export function headlineSentence(comparison: Comparison, told: readonly ToldChange[]): string {
  const several = isOfSeveral(comparison);
  const clauses = Object.entries(phrases).flatMap(([verdict, phrase]) => {
    const these = told.filter((change) => change.verdict === verdict);
    const [most] = these;
    if (most === undefined) return [];
    const example = `${exampleOf(most)}${several ? ` in ${shortName(most.scenario)}` : ""}`;
    return [
      `${phrase(these.length)} (${these.length === 1 ? "" : most.metric === undefined ? "such as " : "most of all "}${example})`,
    ];
  });
  const fresh = comparison.unmatched.filter(({ presentIn }) => !presentIn.includes(0)).length;
  if (fresh > 0) clauses.push(`${counted(fresh, "scenario")} ${fresh === 1 ? "is" : "are"} new`);
  return clauses.length === 0 ? "No metric changed beyond noise." : `${clauses.join("; ")}.`;
}

const exampleOf = ({ metric, slo }: ToldChange): string =>
  metric === undefined ? cutText(`${slo?.metric} ${slo?.expression}`, 100) : `${metric.metric} ${changeCell(metric)}`;

const counted = (count: number, what: string): string => `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
