import { type TimeComponent, timeComponents } from "../sim/result.ts";
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
