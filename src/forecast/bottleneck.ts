import { type RunResult, type TimeComponent, timeComponents } from "../sim/result.ts";
import type { Forecast } from "./forecast.ts";

/** What helps when a component takes most of the time. */
const advice: Readonly<Record<TimeComponent, string>> = {
  attention: "spread the KV cache over more ranks (dp, tp), or store it in fp8 (model.kvCacheDtype)",
  experts:
    "spread experts over more devices (parallel.ep), store them in fewer bits (model.dtypes.experts), or batch more",
  sharedExperts: "store shared experts in fewer bits, or use an engine that runs them beside the routed ones",
  dense: "raise parallel.tp, or store dense layers in fewer bits",
  head: "raise parallel.tp: the output head is split over it",
  draft: "fewer draft tokens (engine.speculative.draftTokens), or n-gram drafts, which cost no device time",
  dispatch: "a faster link between devices, fewer expert ranks, or more expert tensor parallelism (parallel.etp)",
  combine: "a faster link between devices, fewer expert ranks, or more expert tensor parallelism (parallel.etp)",
  allReduce: "lower parallel.tp and raise parallel.dp: attention then needs no all-reduce",
  pipeline: "lower parallel.pp, or keep more requests in flight",
  kernelOverhead: "larger batches amortise kernel launches: fewer replicas, or a higher load per replica",
  hostOverhead: "larger batches, or an engine that schedules beside the device",
  expertFetch:
    "more expert slots (policy.offload.slots), fewer bits per expert (model.dtypes.experts), or a faster host link",
  straggler: "balance ranks: policy.placement.kind eplb, with more redundant slots",
};

/** Share of the engine's time per component; all 0 if it never worked. */
export function timeShares(time: Readonly<Record<TimeComponent, number>>): Record<TimeComponent, number> {
  const total = timeComponents.reduce((sum, component) => sum + time[component], 0);
  const entries = timeComponents.map((component) => [component, total > 0 ? time[component] / total : 0] as const);
  return Object.fromEntries(entries) as Record<TimeComponent, number>;
}

/** The component with the largest share; of equal ones the first. */
export function bottleneckOf(shares: Readonly<Record<TimeComponent, number>>): Forecast["bottleneck"] {
  const component = timeComponents.reduce((best, next) => (shares[next] > shares[best] ? next : best));
  return { component, share: shares[component], advice: advice[component] };
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
  return {
    component: "frontEnd",
    share: spanNs > 0 ? most / spanNs : 0,
    advice: "more front ends per replica (engine.apiServerCount): prompts are tokenised one after the other",
  };
}
