import { formatCount } from "../core/units.ts";
import type { PlanCandidate, PlanDocument } from "../plan/answer/plan-document.ts";
import type { PageSection } from "./page.ts";

/** Candidates that were not chosen for one cause. */
export interface FailureCause {
  readonly status: PlanCandidate["status"];
  /** What excluded them; the SLOs where nothing is named. */
  readonly cause: string;
  readonly count: number;
  /** Of the first of them. */
  readonly reason: string;
}

/** Why candidates were not chosen: causes by how many they are of, with one reason each. */
export function failureCauses(candidates: readonly PlanCandidate[]): FailureCause[] {
  const causes = new Map<string, FailureCause>();
  for (const { status, cause: named, reason } of candidates) {
    if (status === "feasible" || status === "untested") continue;
    const cause = named ?? "SLOs";
    const key = `${status}: ${cause}`;
    const found = causes.get(key);
    causes.set(key, { status, cause, count: (found?.count ?? 0) + 1, reason: found?.reason ?? reason ?? "" });
  }
  return [...causes.values()].sort((a, b) => b.count - a.count);
}

/** The same as a table. */
export function failureSection({ candidates }: PlanDocument): PageSection[] {
  const causes = failureCauses(candidates);
  if (causes.length === 0) return [];
  return [
    {
      kind: "table",
      title: "Why others failed",
      note: "with the reason of one of them",
      columns: [{ header: "", align: "right" }, { header: "" }, { header: "such as" }],
      rows: causes.map(({ status, cause, count, reason }) => [
        formatCount(count),
        `${status}: ${cause}`,
        reason.split("\n")[0] ?? "",
      ]),
      cut: { linesMax: 3, hint: "plan.json" },
    },
  ];
}
