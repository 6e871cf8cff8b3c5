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
 * Busy share from which on a resource limits what a deployment can serve: there a queue before it is four times as long as
 * the work it takes up (M/M/1), and grows from then on.
 */
export const saturatedShare = 0.8;

/**
 * The front ends as the bottleneck: one of them is saturated, and busy for longer than any replica steps; else null. `share`
 * is that of the busiest.
 */
export function frontEndBottleneck(run: RunResult, spanNs: number, stages: number): Forecast["bottleneck"] | null {
  const most = run.frontEnds.busyNs.reduce((high, ns) => Math.max(high, ns), 0);
  const stepping = run.replicaBusyNs.reduce((high, ns) => Math.max(high, ns / stages), 0);
  if (most <= stepping || most < saturatedShare * spanNs) return null;
  return { component: "frontEnd", share: most / spanNs, advice: null };
}

/** The largest share of the time that a resource of a deployment is busy; 0 without any. */
export const busiestShare = (resources: Forecast["resources"]): number =>
  resources.reduce((most, { utilisation }) => Math.max(most, utilisation), 0);
