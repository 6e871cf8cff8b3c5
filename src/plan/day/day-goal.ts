import { refuse } from "../../core/errors.ts";
import { judge } from "../../forecast/judge.ts";
import { judgeContext } from "../../forecast/run-metrics.ts";
import { limitedLatencies, type RequestLimits } from "../../metrics/goodput.ts";
import type { JudgedRun } from "../../metrics/metric.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { printTarget } from "../../scenario/slo-expression.ts";
import type { DayCandidate, DayGoal } from "./day-plan.ts";

/**
 * What a day has to keep: the SLOs of a scenario, and where it has `slo.perRequest` without one on goodput, a share of requests
 * that meets those.
 * @throws InvalidInputError without a limit that single requests can miss
 */
export function dayGoal({ slo, file, place }: Scenario, attainment: number): DayGoal {
  const binding = (slo?.thresholds ?? []).filter(({ level }) => level === "error");
  const slos = binding.map(({ target, text }) => `${printTarget(target)}: ${text}`);
  const limits = slo?.perRequest ?? limitsOf(binding);
  if (Object.keys(limits).length === 0)
    refuse({
      ...place(["slo"]),
      file,
      at: "slo",
      expected: "what a request has to meet: slo.perRequest, or SLOs on ttft, tpot or e2e of all requests",
      found: slos.length === 0 ? "nothing" : slos.join(", "),
    });
  const asked = slo?.perRequest != null && !binding.some(({ target }) => target.metric === "goodput");
  return { slos, limits, attainment: asked ? attainment : null };
}

/** The tightest upper limit on each latency of all requests. */
function limitsOf(binding: NonNullable<Scenario["slo"]>["thresholds"]): RequestLimits {
  const entries = limitedLatencies.flatMap((metric) => {
    const uppers = binding.filter(
      ({ target, expression }) =>
        target.metric === metric && target.requestClass === null && expression.comparator.startsWith("<"),
    );
    return uppers.length === 0
      ? []
      : [[metric, Math.min(...uppers.map(({ expression }) => expression.limit))] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * The SLOs of a run through a whole day, and whether it keeps the goal. Latencies are those of this day: whether they would
 * last under a load that goes on is not asked.
 */
export function judgeDay(
  { slo }: Scenario,
  goal: DayGoal,
  judged: JudgedRun,
  { requests, misses }: { readonly requests: number; readonly misses: number },
): Pick<DayCandidate, "slos" | "holds"> {
  const context = { ...judgeContext(judged), unsettled: null };
  const slos = (slo?.thresholds ?? []).map((one) => judge(one, context));
  const enough = goal.attainment === null || requests - misses >= goal.attainment * requests;
  return { slos, holds: enough && slos.every(({ passed, level }) => passed || level === "warn") };
}
