import { resolveWorkload } from "../../resolve/resolve-requests.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { type PlanSection, planSection } from "../../scenario/plan-section.ts";
import type { RequestTable } from "../../trace/request-table.ts";

/** Devices that a plan may use where nobody said. */
export const devicesDefault = 64;
/** Candidates on a site that are looked at one by one; a space of more is refused. */
export const candidatesMax = 200_000;

/** The load that a plan is made for. */
export interface PlanTraffic {
  readonly requests: RequestTable;
  /** Requests per second as they arrive; null in a closed loop. */
  readonly ratePerSecond: number | null;
  /** Tokens of a request, on average. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Clients of a closed loop; null where requests arrive when they like. */
  readonly concurrency: number | null;
  /** Whether an SLO says how many requests may be rejected; without one, none. */
  readonly mayReject: boolean;
}

/** What a plan is made for. */
export interface PlanQuestion {
  readonly scenario: Scenario;
  readonly plan: PlanSection;
  readonly traffic: PlanTraffic;
}

/** The question that a scenario asks; its `plan` section, or the defaults of one. */
export async function planQuestion(scenario: Scenario): Promise<PlanQuestion> {
  const workload = await resolveWorkload(scenario);
  const { requests } = workload;
  const n = requests.count;
  const mean = (of: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += of[i] ?? 0;
    return sum / n;
  };
  const open = workload.kind === "open";
  return {
    scenario,
    plan: scenario.plan ?? planSection.parse({}),
    traffic: {
      requests,
      ratePerSecond: open ? rateOf(requests) : null,
      promptTokens: mean(requests.promptTokens),
      outputTokens: mean(requests.outputTokens),
      concurrency: open ? null : workload.concurrency,
      mayReject: (scenario.slo?.thresholds ?? []).some(
        ({ target, level }) => level === "error" && target.metric === "rejected",
      ),
    },
  };
}

/** Requests that follow the first one, over the time in which they arrive; null for less than two. */
function rateOf({ arrivalNs, count }: RequestTable): number | null {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < count; i++) {
    first = Math.min(first, arrivalNs[i]!);
    last = Math.max(last, arrivalNs[i]!);
  }
  return last > first ? ((count - 1) / (last - first)) * 1e9 : null;
}
