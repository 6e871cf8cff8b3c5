import type { Comparison, MetricChange, ResultComparison, SloChange } from "../../forecast/compare/comparison.ts";

/** How a change is told, the most serious first. */
export const toldVerdicts = {
  broken: "FAIL",
  regression: "regression",
  warned: "warn",
  worse: "worse",
  gone: "gone",
  met: "ok",
  better: "better",
  added: "new",
  unknown: "no interval",
} as const;

export type ToldVerdict = keyof typeof toldVerdicts;

/** A change that a reviewer is told of: of a metric, or of an SLO. */
export interface ToldChange {
  readonly scenario: string;
  readonly verdict: ToldVerdict;
  readonly metric?: MetricChange;
  readonly slo?: SloChange;
}

/** A change below this share reads as 0.0 %. */
const leastShare = 0.0005;

/** What changed beyond noise, or without an interval that could tell; the most serious first, and of equals the largest. */
export function toldChanges({ scenarios }: Pick<Comparison, "scenarios">): ToldChange[] {
  const told = scenarios.flatMap(({ scenario, against }) => against.flatMap((result) => changesOf(scenario, result)));
  const rank = Object.keys(toldVerdicts);
  return told.toSorted(
    (a, b) => rank.indexOf(a.verdict) - rank.indexOf(b.verdict) || largerFirst(shareOf(a.metric), shareOf(b.metric)),
  );
}

const changesOf = (scenario: string, { metrics, slos }: ResultComparison): ToldChange[] => [
  ...slos.flatMap((slo): ToldChange[] => {
    const verdict = sloVerdict(slo);
    return verdict === null ? [] : [{ scenario, verdict, slo }];
  }),
  ...metrics.flatMap((metric): ToldChange[] => {
    const verdict = metricVerdict(metric);
    return verdict === null ? [] : [{ scenario, verdict, metric }];
  }),
];

/** Only SLOs that came out otherwise, or are in one of the two alone. */
function sloVerdict({ before, after, level }: SloChange): ToldVerdict | null {
  if (before?.passed === after?.passed) return null;
  if (after === null) return "gone";
  if (!after.passed) return level === "error" ? "broken" : "warned";
  return before === null ? "added" : "met";
}

function metricVerdict(change: MetricChange): ToldVerdict | null {
  if (change.regressed) return "regression";
  if (change.before === null) return "added";
  if (change.after === null) return "gone";
  if (change.verdict === "noise" || change.verdict === "same" || change.verdict === "missing") return null;
  return shareOf(change) >= leastShare ? change.verdict : null;
}

/** Size of a change as a share of what it was; one from zero is beyond all. */
const shareOf = (change: MetricChange | undefined): number => {
  if (change === undefined || change.difference === 0) return 0;
  return change.relative === null ? Number.POSITIVE_INFINITY : Math.abs(change.relative);
};

/** Shares that read the same stay in their order. */
const largerFirst = (a: number, b: number): number => {
  const [left, right] = [Math.round(a * 1000), Math.round(b * 1000)];
  return left === right ? 0 : right > left ? 1 : -1;
};

/** Metrics that say the same while the devices are as many. */
const alike: Readonly<Record<string, string>> = { throughputPerDevice: "throughput" };

/** The first of each family of figures and verdict: `ttft.p99` stands for the others of TTFT that moved its way. */
export function onePerFamily(told: readonly ToldChange[]): ToldChange[] {
  const seen = new Set<string>();
  return told.filter(({ scenario, verdict, metric }) => {
    if (metric === undefined) return true;
    const [family = ""] = (alike[metric.metric] ?? metric.metric).split(".");
    const key = JSON.stringify([scenario, verdict, family]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Whether nothing is to be told: no metric, SLO or ledger entry differs, and both have the same scenarios. */
export const isQuiet = (comparison: Comparison): boolean =>
  comparison.unmatched.length === 0 &&
  toldChanges(comparison).length === 0 &&
  comparison.scenarios.every(({ against }) => against.every(({ ledger }) => ledger.length === 0));
