import { formatDollars, formatNumber, formatPercent } from "../../core/units.ts";
import type { DayCandidate, DayVerdict, StaticFleet } from "./day-plan.ts";

/** What a candidate costs: dollars, or device-hours where there is no price. */
const costOf = ({ usd, deviceHours }: DayCandidate): number => usd ?? deviceHours;

const costText = ({ usd, deviceHours }: DayCandidate): string =>
  usd === null ? `${formatNumber(deviceHours)} device-hours` : formatDollars(usd);

/** Below this a difference in cost is none. */
const sameCost = 0.005;

/**
 * The cheapest candidate that keeps the goal and does not know the day beforehand, beside the fewest static replicas. Where none but
 * these keeps it, or is no dearer, they are what is advised.
 */
export function dayVerdict(candidates: readonly DayCandidate[], fleet: StaticFleet): DayVerdict {
  const peak = candidates.find(({ name }) => name === fleet.name)!;
  const scaled = candidates.filter(({ kind }) => kind === "scaled");
  const holding = scaled.filter(({ holds }) => holds).sort((a, b) => costOf(a) - costOf(b));
  const [best] = holding;
  const foreseen = candidates
    .filter(({ kind, holds }) => kind === "foresight" && holds)
    .sort((a, b) => costOf(a) - costOf(b))[0];
  const reasons = [
    ...(foreseen === undefined
      ? []
      : [`${foreseen.name}, which knows the day beforehand, would keep the SLOs for ${costText(foreseen)}`]),
    ...(fleet.oneMoreHolds
      ? []
      : [`one more replica does not keep the SLOs: fewer are no proof that ${fleet.name} is the fewest`]),
  ];
  const saved = best === undefined ? 0 : 1 - costOf(best) / costOf(peak);
  if (best === undefined || saved < sameCost) {
    const why =
      scaled.length === 0
        ? fleet.replicas.every(({ count }) => count === 1)
          ? "one replica is the least there can be"
          : "no scaling policy was run"
        : best === undefined
          ? `none of ${scaled.length} scaled fleets keeps the SLOs; ${nearest(scaled)}`
          : `the cheapest scaled fleet that keeps the SLOs, ${best.name}, costs ${costText(best)}`;
    return { name: peak.name, headline: `keep ${peak.name} for ${costText(peak)}: ${why}`, reasons };
  }
  return {
    name: best.name,
    headline: `take ${best.name}: it keeps the SLOs for ${costText(best)}, ${formatPercent(saved, 0)} less than ${peak.name} (${costText(peak)})`,
    reasons,
  };
}

/** The scaled fleet with the fewest misses. */
function nearest(scaled: readonly DayCandidate[]): string {
  const best = scaled.reduce((a, b) => (b.misses < a.misses ? b : a));
  return `${best.name} misses least, ${formatPercent(best.misses / Math.max(1, best.requests), 2)} of the requests for ${costText(best)}`;
}
