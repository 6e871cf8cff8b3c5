import { formatCount, formatPercent } from "../core/units.ts";
import {
  type ComparedResult,
  type Comparison,
  cautionKinds,
  type ScenarioComparison,
} from "../forecast/compare/comparison.ts";
import { comparisonInputs, comparisonLedger } from "./comparison-inputs.ts";
import { resultLetter } from "./comparison-letters.ts";
import { comparisonMetrics, comparisonSlos, verdictCounts } from "./comparison-metrics.ts";
import { componentLabel } from "./labels.ts";
import type { Page, PageLine, Tone } from "./page.ts";

/** A page for each scenario of a comparison: how it came out, what differs in the inputs, then in the figures and in what they rest on. */
export const comparisonPages = (comparison: Comparison): Page[] =>
  comparison.scenarios.map((scenario) => scenarioPage(comparison, scenario));

function scenarioPage(comparison: Comparison, scenario: ScenarioComparison): Page {
  const { base, against } = scenario;
  const regressions = against.flatMap((result) => result.regressions);
  const limited = against.some(({ metrics }) => metrics.some(({ limit }) => limit !== null));
  return {
    title: scenario.scenario,
    aside: `compared by moecast ${comparison.moecastVersion}`,
    subtitle: [base, ...against.map(({ result }) => result)].map((result) => ({
      text: resultLine(comparison, result),
    })),
    headline: [...(limited ? [regressionText(regressions.length)] : []), ...headlineOf(scenario)],
    ...toneOf(scenario, regressions.length),
    notes: against.flatMap((result) => notesOf(scenario, result)),
    sections: [
      ...comparisonInputs(scenario),
      ...comparisonMetrics(scenario),
      ...comparisonSlos(scenario),
      ...comparisonLedger(scenario),
    ],
  };
}

const regressionText = (count: number): string =>
  count === 0 ? "PASS no regression" : `FAIL ${formatCount(count)} ${count === 1 ? "regression" : "regressions"}`;

/** `b: 2 worse, 1 better, 3 inside the noise, 20 the same`; without the letter for a single result. */
const headlineOf = ({ against }: ScenarioComparison): string[] =>
  against.map((result) => {
    const counts = verdictCounts(result.metrics);
    return against.length === 1 ? counts : `${resultLetter(result.result.file)}: ${counts}`;
  });

function toneOf({ against }: ScenarioComparison, regressions: number): { readonly tone?: Tone } {
  const verdicts = new Set(against.flatMap(({ metrics }) => metrics.map(({ verdict }) => verdict)));
  if (regressions > 0 || verdicts.has("worse") || verdicts.has("missing")) return { tone: "bad" };
  return verdicts.has("better") ? { tone: "good" } : {};
}

/** What a letter stands for. */
function resultLine({ files }: Comparison, result: ComparedResult): string {
  const { file, scenario, moecastVersion, seed, seeds, requests, load, passed, bottleneck, interrupted } = result;
  const parts = [
    scenario,
    seeds === 1 ? `seed ${seed}` : `${seeds} seeds from ${seed}`,
    `moecast ${moecastVersion}`,
    `${formatCount(requests.completed)} of ${formatCount(requests.total)} requests`,
    ...(interrupted ? ["interrupted"] : []),
    loadWords[load],
    passed ? "SLOs met" : "SLOs missed",
    `most of a step: ${componentLabel(bottleneck.component)}, ${formatPercent(bottleneck.share)}`,
  ];
  return `${resultLetter(file)}: ${files[file]} (${parts.join(", ")})`;
}

const loadWords = {
  stable: "stable",
  overloaded: "overloaded",
  tooShort: "too short to tell",
} as const satisfies Record<ComparedResult["load"], string>;

/** Cautions on a result against the base, and whether the two drew alike. */
function notesOf({ base, against }: ScenarioComparison, one: ScenarioComparison["against"][number]): PageLine[] {
  const letters = { base: resultLetter(base.file), result: resultLetter(one.result.file) };
  const first = one === against[0];
  const cautions = one.cautions
    // The base is the same beside every result.
    .filter(({ of }) => first || of === "result")
    .map(({ kind, of }): PageLine => ({ text: `${letters[of]} ${cautionKinds[kind]}`, tone: "warn" }));
  const both = `${letters.base} and ${letters.result}`;
  const draws =
    one.otherDraws.length === 0
      ? `${both} share their draws: what differs comes from the change`
      : `${both} drew differently (${one.otherDraws.join(", ")}): what differs may be their noise`;
  return [...cautions, { text: draws, quiet: true }];
}

/** Scenarios that not all files have, a line for each. */
export const unmatchedLines = ({ unmatched, files }: Comparison): string[] =>
  unmatched.map(({ scenario, presentIn, missingIn }) => {
    const names = (places: readonly number[]) => places.map((place) => files[place]).join(", ");
    const gone = presentIn.includes(0) ? "" : ", and has no base";
    return `not compared everywhere: ${scenario} is in ${names(presentIn)}, not in ${names(missingIn)}${gone}`;
  });
