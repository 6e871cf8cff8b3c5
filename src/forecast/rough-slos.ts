import { sloMetrics } from "../metrics/slo-metrics.ts";
import { printTarget } from "../scenario/slo-expression.ts";
import type { Slo } from "../scenario/slo-section.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import type { FinishedRun } from "./advice/try-changes.ts";
import { judge } from "./judge.ts";
import { judgeContext } from "./run-metrics.ts";

/** How far a run is from an SLO, whether or not it is long enough to judge by. */
export interface RoughSlo {
  /** `ttft p(99)<1s`. */
  readonly text: string;
  /**
   * What the run shows as a multiple of the limit, above 1 where the SLO does not hold: value / limit for upper limits, limit /
   * value for lower ones; for lower limits of shares what is lacking to 1, as a multiple of what may lack. null without a value.
   */
  readonly estimate: number | null;
  /**
   * The same at the end of the interval where it looks best; the estimate where it has none. null without a value, and for what is
   * no latency: in a short run the drain weighs more on rates, costs and energy, and shares scatter.
   */
  readonly atBest: number | null;
}

/** The SLOs of level error as a run shows them. Short and overloaded runs make light of latencies, which grow with the run. */
export function roughSlos({ scenario, resolved, run, forecast }: FinishedRun): RoughSlo[] {
  const context = judgeContext({
    run,
    figures: forecast,
    limits: scenario.slo?.perRequest ?? null,
    noCost: resolved.price === null ? "no price" : "no output tokens",
  });
  return (scenario.slo?.thresholds ?? [])
    .filter(({ level }) => level === "error")
    .map((slo) => rough(slo, { ...context, unsettled: null }));
}

function rough(slo: Slo, context: Parameters<typeof judge>[1]): RoughSlo {
  const { target, expression } = slo;
  const text = `${printTarget(target)} ${slo.text}`;
  const { value, interval } = judge(slo, context);
  if (value === null) return { text, estimate: null, atBest: null };
  const limit = expression.number;
  const upper = expression.comparator === "<" || expression.comparator === "<=";
  const isShare = sloMetrics[target.metric].dimension === "ratio" && expression.limit <= 1;
  const times = (figure: number): number => {
    if (expression.comparator === "==") return figure === limit ? 1 : 2;
    if (upper) return ratio(figure, limit);
    const whole = limit / expression.limit;
    return isShare ? ratio(whole - figure, whole - limit) : ratio(limit, figure);
  };
  const best = interval === null ? value : upper ? interval.low : (interval.high ?? Number.POSITIVE_INFINITY);
  const isLatency = latencyMetrics.some((name) => name === target.metric);
  return { text, estimate: times(value), atBest: isLatency ? times(best) : null };
}

/** A multiple; nothing of nothing is as much. */
const ratio = (a: number, b: number): number => (b === 0 ? (a === 0 ? 1 : Number.POSITIVE_INFINITY) : a / b);
