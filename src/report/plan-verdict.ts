import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { ObjectiveAnswer, PlanCandidate, PlanDocument } from "../plan/answer/plan-document.ts";

export const candidatesById = ({ candidates }: Pick<PlanDocument, "candidates">): ReadonlyMap<string, PlanCandidate> =>
  new Map(candidates.map((candidate) => [candidate.id, candidate]));

/** What the deployments are to serve, and the SLOs. */
export function planLoad({ traffic, slos }: PlanDocument): string {
  const load =
    traffic.ratePerSecond === null
      ? `${formatCount(traffic.concurrency ?? 0)} client${traffic.concurrency === 1 ? "" : "s"} in a closed loop`
      : `${formatNumber(traffic.ratePerSecond, 3)} requests/s`;
  return `${load}, ${formatCount(Math.round(traffic.promptTokens))} tokens in and ${formatCount(Math.round(traffic.outputTokens))} out on average; ${slos.length === 0 ? "no SLOs: deployments that keep up" : slos.join(", ")}`;
}

/** The verdict in parts: deployment, devices, objective, binding constraint, chance of the SLOs, margins. */
export function planVerdict(plan: PlanDocument, known = candidatesById(plan)): string[] {
  const [answer] = plan.objectives;
  if (answer === undefined) return ["nothing was looked for"];
  const [best, next] = answer.found;
  if (best === undefined) {
    const closest = answer.closest === null ? undefined : known.get(answer.closest.id);
    return [
      plan.interrupted ? "nothing found so far" : "NO DEPLOYMENT MEETS THE SLOs",
      ...(closest === undefined ? [] : [`closest: ${closest.name}`, answer.closest!.shortfall]),
    ];
  }
  const chosen = known.get(best.id)!;
  const finalist = plan.finalists.find(({ id }) => id === best.id);
  const chances = (finalist?.chances ?? []).flatMap(({ chance }) => chance ?? []);
  return [
    chosen.name,
    `${formatCount(chosen.devices)} device${chosen.devices === 1 ? "" : "s"}`,
    ...(chosen.usdPerHour === null ? [] : [`$${formatNumber(chosen.usdPerHour, 4)}/h`]),
    ...(answer.name === "devices" ? [] : [best.text]),
    ...(best.shown?.binding == null
      ? []
      : [`${best.shown.binding} at ${formatPercent(best.shown.strain ?? 0, 0)} of its limit`]),
    ...(chances.length === 0 ? [] : [`all SLOs hold with a chance of ${chanceText(Math.min(...chances))}`]),
    ...(next === undefined || answer.name === "frontier" ? [] : [marginText(best.value, next.value, "the runner-up")]),
    ...baselineMargin(plan, answer, best.value),
  ];
}

function baselineMargin({ baseline }: PlanDocument, { name }: ObjectiveAnswer, value: number): string[] {
  if (baseline === null) return [];
  const today = baseline.values[name] ?? null;
  if (!baseline.meets) return [`what is run today does not meet the SLOs (${baseline.broken})`];
  return today === null ? [] : [marginText(value, today, "what is run today")];
}

function marginText(value: number, other: number, than: string): string {
  const share = other === 0 ? 0 : 1 - value / other;
  if (Math.abs(share) < 0.0005) return `as good as ${than}`;
  // Less is better of every value, whichever way its text reads.
  return `${formatPercent(Math.abs(share), 1)} ${share > 0 ? "better" : "worse"} than ${than}`;
}

export const chanceText = (chance: number): string =>
  chance >= 0.95 ? "at least 95%" : chance <= 0.05 ? "at most 5%" : formatPercent(chance, 0);
