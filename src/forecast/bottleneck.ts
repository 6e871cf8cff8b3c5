import { type RunResult, type TimeComponent, timeComponents } from "../sim/result.ts";
import type { Forecast } from "./forecast.ts";

/** Share of step time per component; all 0 without a step. */
export function timeShares(time: Readonly<Record<TimeComponent, number>>): Record<TimeComponent, number> {
  const total = timeComponents.reduce((sum, component) => sum + time[component], 0);
  const entries = timeComponents.map((component) => [component, total > 0 ? time[component] / total : 0] as const);
  return Object.fromEntries(entries) as Record<TimeComponent, number>;
}

/** The component with the largest share; of equal ones the first. */
export function bottleneckOf(shares: Readonly<Record<TimeComponent, number>>): Forecast["bottleneck"] {
  const component = timeComponents.reduce((best, next) => (shares[next] > shares[best] ? next : best));
  return { component, share: shares[component], advice: null };
}

/**
 * The front ends as the bottleneck: one of them works a larger share of the time than any replica steps, or requests spent
 * most of the time before their first step waiting for its turn. null where neither holds. `share` is that of the
 * busiest.
 */
export function frontEndBottleneck(run: RunResult, spanNs: number, stages: number): Forecast["bottleneck"] | null {
  const { busyNs, waitNs } = run.frontEnds;
  const most = busyNs.reduce((high, ns) => Math.max(high, ns), 0);
  const stepping = run.replicaBusyNs.reduce((high, ns) => Math.max(high, ns / stages), 0);
  const { scheduledNs, arrivalNs, count } = run.requests;
  let queueNs = 0;
  for (let request = 0; request < count; request++)
    if (scheduledNs[request]! >= arrivalNs[request]!) queueNs += scheduledNs[request]! - arrivalNs[request]!;
  if (most <= stepping && waitNs <= queueNs / 2) return null;
  return { component: "frontEnd", share: spanNs > 0 ? most / spanNs : 0, advice: null };
}
