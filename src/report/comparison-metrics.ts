import { formatNumber } from "../core/units.ts";
import { type ChangeVerdict, changeVerdicts } from "../forecast/compare/change-verdict.ts";
import type {
  ComparedResult,
  MetricChange,
  ResultComparison,
  ScenarioComparison,
  SloChange,
} from "../forecast/compare/comparison.ts";
import { withUnit } from "./baseline-labels.ts";
import { changeText } from "./change-text.ts";
import { resultLetter } from "./comparison-letters.ts";
import type { PageColumn, PageRow, PageSection, Tone } from "./page.ts";
import { shortened } from "./shortened.ts";

/** Verdicts as tables and headlines write them. */
const verdictWords = {
  better: "better",
  worse: "worse",
  noise: "inside the noise",
  unknown: "no interval",
  same: "same",
  missing: "missing",
} as const satisfies Record<ChangeVerdict, string>;

/** The order in which verdicts are counted. */
const countedOrder: readonly ChangeVerdict[] = ["worse", "missing", "better", "unknown", "noise", "same"];

/** `2 worse, 1 better, 3 inside the noise, 20 same`. */
export function verdictCounts(metrics: readonly MetricChange[]): string {
  const parts = countedOrder.flatMap((verdict) => {
    const count = metrics.filter((metric) => metric.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdictWords[verdict]}`];
  });
  return parts.length === 0 ? "no metric to compare" : parts.join(", ");
}

const tones: Readonly<Partial<Record<ChangeVerdict, Tone>>> = { better: "good", worse: "bad", missing: "bad" };

/**
 * Metrics side by side, a table for each set of results that are held against the same figures of the base: those that share
 * enough seeds with it are held against means over these, others against its first run.
 */
export function comparisonMetrics({ base, against }: ScenarioComparison): PageSection[] {
  const keys = against.map(baseFigures);
  const groups = [...new Set(keys)].map((key) => against.filter((_, i) => keys[i] === key));
  return groups.map((group) =>
    metricTable(
      base,
      group,
      against.length === 1,
      groups.length === 1 ? "Metrics" : `Metrics, ${setWords(base, group)}`,
    ),
  );
}

const baseFigures = ({ metrics }: ResultComparison): string =>
  JSON.stringify(metrics.flatMap(({ metric, before }) => (before === null ? [] : [[metric, before]])));

/** `b, d against a`. */
function setWords(base: ComparedResult, group: readonly ResultComparison[]): string {
  return `${group.map(({ result }) => resultLetter(result.file)).join(", ")} against ${resultLetter(base.file)}`;
}

/** Metrics that no result of the table changes are counted below. */
function metricTable(
  base: ComparedResult,
  against: readonly ResultComparison[],
  single: boolean,
  title: string,
): PageSection {
  const all = against[0]?.metrics ?? [];
  const names = [...new Set(against.flatMap(({ metrics }) => metrics.map(({ metric }) => metric)))];
  const rows = names.map((name) => against.map(({ metrics }) => metrics.find(({ metric }) => metric === name)));
  const shown = rows.filter((row) => row.some((change) => change !== undefined && change.verdict !== "same"));
  const same = rows.length - shown.length;
  const limited = all.some(({ limit }) => limit !== null);
  return {
    kind: "table",
    title,
    columns: [
      { header: "metric" },
      { header: resultLetter(base.file), align: "right", dispensable: 4 },
      ...against.flatMap((result) => columnsOf(result, single, limited)),
    ],
    rows: shown.map((row) => rowOf(row, single, limited)),
    after: [
      ...(same === 0 ? [] : [{ text: `${same} of ${rows.length} metrics the same`, quiet: true }]),
      ...legend(against, shown.flat()),
    ],
  };
}

function columnsOf({ result }: ResultComparison, single: boolean, limited: boolean): PageColumn[] {
  const letter = resultLetter(result.file);
  return [
    { header: letter, align: "right", dispensable: 5 },
    { header: "change", align: "right" },
    { header: "interval", align: "right", dispensable: 3 },
    { header: single ? "" : `${letter} is` },
    ...(limited ? [{ header: "limit", align: "right", dispensable: 2 } as const] : []),
  ];
}

function rowOf(row: readonly (MetricChange | undefined)[], single: boolean, limited: boolean): PageRow {
  const known = row.find((change) => change !== undefined)!;
  const tone = single ? tones[known.verdict] : undefined;
  const cells = [
    known.metric,
    valueText(known, known.before),
    ...row.flatMap((change) => {
      if (change === undefined) return ["", "", "", "", ...(limited ? [""] : [])];
      const { change: text, halfWidth } = changeText(change);
      return [
        valueText(change, change.after),
        text,
        halfWidth === "" ? "" : `±${halfWidth}`,
        `${change.regressed ? "FAIL " : ""}${verdictWords[change.verdict]}`,
        ...(limited ? [change.limit === null ? "" : `${formatNumber(change.limit * 100)}%`] : []),
      ];
    }),
  ];
  return tone === undefined ? cells : { cells, tone };
}

const valueText = ({ unit }: MetricChange, value: number | null): string =>
  value === null ? "n/a" : withUnit[unit](value);

/** What the verdicts that are shown mean, and what figures and intervals stand on. */
function legend(against: readonly ResultComparison[], shown: readonly (MetricChange | undefined)[]) {
  if (shown.length === 0) return [];
  const seeds = against.filter(({ metrics }) => metrics.some(({ basis }) => basis === "seeds"));
  const bases = [
    ...new Set(seeds.map(({ sharedSeeds }) => `figures are means over ${sharedSeeds} shared seeds, paired`)),
    ...(against.some(({ metrics }) => metrics.some(({ basis }) => basis === "otherSeeds"))
      ? ["figures are means over the seeds of each, which share none: not paired"]
      : []),
    ...(against.some(({ metrics }) => metrics.some(({ basis }) => basis === "sections"))
      ? ["intervals are from ten parts of the runs, paired"]
      : []),
  ];
  const explained = (["noise", "unknown"] as const)
    .filter((verdict) => shown.some((change) => change?.verdict === verdict))
    .map((verdict) => `${verdictWords[verdict]}: ${changeVerdicts[verdict]}`);
  return [...explained, ...bases.map((text) => `${text} (99%)`)].map((text) => ({ text, quiet: true }));
}

/** SLOs that came out otherwise than in the base, or that one of the two lacks. */
export function comparisonSlos({ base, against }: ScenarioComparison): PageSection[] {
  const rows = against.flatMap(({ result, slos }) =>
    slos
      .filter(({ before, after }) => before?.passed !== after?.passed)
      .map((slo): PageRow => {
        const tone: Tone | undefined = slo.after === null ? undefined : slo.after.passed ? "good" : "bad";
        const [first, second] = [resultLetter(base.file), resultLetter(result.file)];
        const limit = `${slo.metric} ${slo.expression}${slo.level === "warn" ? " (warn)" : ""}`;
        const cells = [shortened(limit, 50), `${first} ${standText(slo.before)}; ${second} ${standText(slo.after)}`];
        return tone === undefined ? cells : { cells, tone };
      }),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: "table",
      title: "SLOs that came out otherwise",
      columns: [{ header: "SLO" }, { header: "" }],
      rows,
    },
  ];
}

const standText = (stand: SloChange["before"]): string =>
  stand === null ? "has none" : `${stand.passed ? "met" : "missed"}, ${stand.valueText}`;
