import { timeComponents } from "../../sim/result.ts";
import type { Forecast } from "../forecast.ts";
import type { AdviceCause, AdviceRule, Change, Situation } from "./advice-rule.ts";

/** Changes that are tried, at most. */
const changesMax = 3;
/** Causes of less than this share of the time are left alone. */
const shareMin = 0.03;
/** What a change of the model's output counts for beside one that leaves it alone. */
const outputWeight = 0.5;

/** A cause with its share of the time. */
export interface WeighedCause {
  readonly cause: AdviceCause;
  readonly share: number;
}

/** What costs a deployment time, the largest share first. `betweenTokens` leaves the queue out: nobody queues there. */
export function causesOf(forecast: Forecast, betweenTokens: boolean): WeighedCause[] {
  const { timeShare, bottleneck } = forecast;
  const components = timeComponents
    .map((cause) => ({ cause, share: timeShare[cause] }))
    .filter(({ cause, share }) => share >= shareMin && cause !== bottleneck.component);
  const queue = betweenTokens ? 0 : queueShare(forecast);
  return [
    ...(queue > 0.5 ? [{ cause: "queue" as const, share: queue }] : []),
    { cause: bottleneck.component, share: bottleneck.share },
    ...components,
  ].sort((a, b) => b.share - a.share);
}

/** Share of the time to the first token that requests wait for a step. */
function queueShare({ load, latency: { queue, ttft } }: Forecast): number {
  if (load.verdict === "overloaded") return 1;
  return queue.p50 === null || ttft.p50 === null || ttft.p50 === 0 ? 0 : queue.p50 / ttft.p50;
}

/**
 * The changes worth trying, three at most. Causes take turns by their share, as seats are given to lists (D'Hondt): the n-th
 * rule of a cause that applies counts as its share over n, and half as much if it changes what the model computes. No
 * change is proposed twice.
 */
export function chooseChanges(
  causes: readonly WeighedCause[],
  situation: Situation,
  rules: readonly AdviceRule[],
): Change[] {
  const candidates = causes.flatMap(({ cause, share }) =>
    rules
      .filter((rule) => rule.causes.includes(cause))
      .flatMap((rule) => {
        const change = rule.change(situation);
        return change === null ? [] : [{ change, weight: rule.changesOutput === true ? outputWeight : 1 }];
      })
      .map(({ change, weight }, i) => ({ change, weight: (weight * share) / (i + 1) })),
  );
  candidates.sort((a, b) => b.weight - a.weight);
  const chosen = new Map<string, Change>();
  for (const { change } of candidates) {
    const key = change.set.join(" ");
    if (chosen.size < changesMax && !chosen.has(key)) chosen.set(key, change);
  }
  return [...chosen.values()];
}
