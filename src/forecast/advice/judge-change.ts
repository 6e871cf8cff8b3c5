import { latencies } from "../../metrics/latencies.ts";
import type { Advice, AdviceFigure, Forecast } from "../forecast.ts";
import { type AdviceMetric, tokenRate } from "./advice-metric.ts";
import type { Change } from "./advice-rule.ts";

/** A change helps from this factor on: less is the noise of another schedule. */
const gainMin = 1.02;
/** What gets worse by more than this factor is named. */
const costMin = 1.05;
/** What gets worse may do so by this many times the share by which the metric improves. */
const costPerGain = 2;

/** What a reader looks at besides: time to the first token, between tokens, and tokens a second. */
const others: readonly AdviceMetric[] = [
  ...(["ttft", "tpot"] as const).map((metric): AdviceMetric => {
    const { label, betweenTokens } = latencies[metric];
    return {
      name: `${label} p50`,
      compared: `${metric}.p50`,
      unit: "ms",
      lowerIsBetter: true,
      betweenTokens,
      of: ({ latency }) => latency[metric].p50,
    };
  }),
  tokenRate,
];

/** A metric before and after, and the factor by which it is better; null where either run has none. */
function compare(
  metric: AdviceMetric,
  before: Forecast,
  after: Forecast,
): { figure: AdviceFigure; gain: number } | null {
  const [was, is] = [metric.of(before), metric.of(after)];
  if (was === null || is === null) return null;
  const [better, worse] = metric.lowerIsBetter ? [is, was] : [was, is];
  return {
    figure: { metric: metric.name, unit: metric.unit, before: was, after: is },
    gain: was === is ? 1 : better <= 0 ? Number.POSITIVE_INFINITY : worse / better,
  };
}

/** Advice with the factor by which it improves what it is for. */
export interface Judged {
  readonly advice: Advice;
  readonly gain: number;
}

/**
 * A change as advice, from a run without and with it; null where it does not improve the metric, costs far more than it
 * gains, or breaks what held: an SLO that passed, a request that was served, a load that was kept up with.
 */
export function judgeChange(change: Change, metric: AdviceMetric, before: Forecast, after: Forecast): Judged | null {
  const found = compare(metric, before, after);
  if (found === null || found.gain < gainMin) return null;
  const breaks =
    after.requests.rejected > before.requests.rejected ||
    (after.load.verdict === "overloaded" && before.load.verdict !== "overloaded") ||
    before.slos.some((slo, i) => slo.passed && after.slos[i]?.passed !== true);
  const costs = others
    .filter(({ name }) => name !== metric.name)
    .flatMap((other) => compare(other, before, after) ?? [])
    .filter(({ gain }) => gain < 1 / costMin);
  if (breaks || costs.some(({ gain }) => 1 / gain - 1 > costPerGain * (found.gain - 1))) return null;
  return { advice: { ...change, ...found.figure, costs: costs.map(({ figure }) => figure) }, gain: found.gain };
}
