import type { Scenario } from "../scenario/parse-scenario.ts";

/** A policy with a number of redundant experts, and the settings that make it. */
export interface MapCandidate {
  readonly policy: string;
  readonly redundant: number;
  readonly isCurrent: boolean;
  readonly set: readonly string[];
}

/** Copies a rank and layer that are tried unless told; no more than a rank has experts. */
const copiesPerRank = [0, 1, 4];

/** Redundant experts that fill whole ranks, from few to many: what `experts` leaves over on `ranks`, and further copies on each. */
export function redundantChoices(experts: number, ranks: number): number[] {
  const over = (ranks - (experts % ranks)) % ranks;
  const most = Math.ceil(experts / ranks);
  const choices = copiesPerRank
    .map((wanted) => Math.min(wanted, most))
    .map((copies) => (copies === 0 ? 0 : over + (over > 0 ? copies - 1 : copies) * ranks));
  return [...new Set(choices)];
}

/** What the scenario has, as it is but for `fit`: its policy and redundant experts, or experts in order. */
export function currentCandidate({ policy: { placement } }: Scenario): MapCandidate {
  // A map that the scenario fits on a file of its own is judged as it is.
  const refitted = placement?.fit !== undefined && placement.fit.file === undefined;
  return {
    policy: placement?.kind ?? "contiguous",
    redundant: placement?.redundant ?? 0,
    isCurrent: true,
    set: refitted ? ["policy.placement.fit=null"] : [],
  };
}

/**
 * Every policy with every number of redundant experts, but those without copies with none alone; `current`, what the scenario has, is
 * among them as it is. Keys of all placements, such as `nodes`, stay as the scenario has them; a policy's own keys stay with it, `fit`
 * goes: maps are fitted on what the comparison says.
 */
export function mapCandidates(
  scenario: Scenario,
  policies: readonly string[],
  redundant: readonly number[],
  current: MapCandidate,
): MapCandidate[] {
  const section: Readonly<Record<string, unknown>> = scenario.policy.placement ?? {};
  const { placements } = scenario.policies;
  const ownKeys = Object.keys(placements[current.policy]!.parameters);
  const candidates: MapCandidate[] = [];
  for (const name of policies) {
    // A map from a file has the copies that it has.
    const numbers = new Set(name === "file" ? [] : placements[name]!.makesCopies ? redundant : [0]);
    if (name === current.policy) numbers.add(current.redundant);
    for (const count of [...numbers].sort((a, b) => a - b)) {
      if (name === current.policy && count === current.redundant) {
        candidates.push(current);
        continue;
      }
      const kept = Object.entries(section).filter(
        ([key, value]) =>
          value !== undefined &&
          !["kind", "redundant", "fit"].includes(key) &&
          (name === current.policy || !ownKeys.includes(key)),
      );
      const value = { ...Object.fromEntries(kept), kind: name, redundant: count };
      candidates.push({
        policy: name,
        redundant: count,
        isCurrent: false,
        set: [`policy.placement=${JSON.stringify(value)}`],
      });
    }
  }
  return candidates;
}
