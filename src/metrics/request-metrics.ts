import { type RunResult, requestStatus } from "../sim/result.ts";
import type { Metric, Scalar, ScalarKind } from "./metric.ts";

const flag = (is: boolean) => (is ? 1 : 0);

/** Whether a run was stopped, and what it tells of the load. */
export const runState = {
  interrupted: {
    label: "interrupted",
    row: "interrupted",
    unit: "flag",
    better: null,
    definition: "1 where the run was stopped before its end, and its figures cover what had happened until then",
    of: ({ interrupted }) => flag(interrupted),
  },
  overloaded: {
    label: "overloaded",
    row: "overloaded",
    unit: "flag",
    better: "lower",
    definition: "1 where more requests pile up than chance explains; latencies are empty",
    of: ({ load }) => flag(load.verdict === "overloaded"),
  },
  tooShort: {
    label: "too short to tell",
    row: "too_short",
    unit: "flag",
    better: null,
    definition: "1 where the run shows neither that the deployment keeps up nor that it does not",
    of: ({ load }) => flag(load.verdict === "tooShort"),
  },
  requestsNeeded: {
    label: "requests needed",
    row: "requests_needed",
    unit: "requests",
    better: null,
    definition: "requests of a run that would tell, where this one is too short",
    of: ({ load }) => load.requestsNeeded,
  },
} as const satisfies Record<string, Metric>;

/** What became of the requests. */
export const fates = {
  requests: {
    label: "requests",
    row: "requests",
    unit: "requests",
    better: null,
    definition: "requests of the run",
    of: ({ requests }) => requests.total,
  },
  completed: {
    label: "completed requests",
    row: "completed",
    unit: "requests",
    better: null,
    definition: "requests that got their last token",
    of: ({ requests }) => requests.completed,
  },
  rejected: {
    label: "rejected requests",
    row: "rejected",
    unit: "requests",
    better: "lower",
    definition: "requests that the deployment cannot serve at all",
    of: ({ requests }) => requests.rejected,
    slo: {
      dimension: "number",
      aggregations: ["value", "rate"],
      byClass: true,
      aggregated: ": their number (value) or their share (rate)",
      judged: ({ run }, kind, requestClass) => rejectedOf(run, kind, requestClass),
    },
  },
  unfinished: {
    label: "unfinished requests",
    row: "unfinished",
    unit: "requests",
    better: null,
    definition: "requests that were waiting, running or yet to arrive when the run was stopped",
    of: ({ requests }) => requests.unfinished,
  },
} as const satisfies Record<string, Metric>;

/** Preempted requests: they had to begin again. */
export const preemptions = {
  preemptions: {
    label: "preemptions",
    row: "preemptions",
    unit: "requests",
    better: "lower",
    definition: "preemptions of running requests for lack of KV blocks",
    of: ({ kv }) => kv.preemptions,
    slo: { dimension: "number", aggregations: ["value"], byClass: false },
  },
} as const satisfies Record<string, Metric>;

/** What an overloaded deployment sustains. */
export const sustained = {
  sustainedRequestRate: {
    label: "sustained requests/s",
    row: "sustained_requests_per_second",
    unit: "req/s",
    better: "higher",
    definition: "completions per second of an overloaded deployment while it was never short of work",
    of: ({ load }) => load.sustainedRequestsPerSecond,
  },
  sustainedHalfWidth: {
    label: "half-width of the sustained rate",
    row: "sustained_half_width",
    unit: "req/s",
    better: null,
    definition: "half-width of the 95% interval of the sustained rate",
    of: ({ load }) => load.sustainedHalfWidth,
  },
} as const satisfies Record<string, Metric>;

/** Number or share of refused requests, of those that had arrived. */
function rejectedOf(run: RunResult, kind: ScalarKind, requestClass: string | null): Scalar {
  const { count, status, classOf, classes } = run.requests;
  const wanted = requestClass === null ? null : classes.indexOf(requestClass);
  let samples = 0;
  let refused = 0;
  for (let request = 0; request < count; request += 1) {
    if (wanted !== null && classOf[request] !== wanted) continue;
    if (status[request] === requestStatus.notArrived) continue;
    samples += 1;
    if (status[request] === requestStatus.rejected) refused += 1;
  }
  return { value: kind === "rate" ? refused / samples : refused, samples };
}
