import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/**
 * Issues of a schema check, one for each value: of several the tightest bound, as a number that is no whole one and too
 * large is told its limit. What concerns keys, or how values fit together, is kept.
 */
export function issuePerPlace(issues: readonly Issue[]): readonly Issue[] {
  const kept = new Map<string, Issue>();
  const others: Issue[] = [];
  for (const issue of issues) {
    if (issue.code === "custom" || issue.code === "unrecognized_keys") {
      others.push(issue);
      continue;
    }
    const place = issue.path.map(String).join("\n");
    const known = kept.get(place);
    if (known === undefined || tightness(issue) < tightness(known)) kept.set(place, issue);
  }
  return [...kept.values(), ...others];
}

/** Bounds first, the tightest of all before the others. */
function tightness(issue: Issue): number {
  if (issue.code === "too_big") return Number(issue.maximum);
  return issue.code === "too_small" ? -Number(issue.minimum) : Number.POSITIVE_INFINITY;
}
