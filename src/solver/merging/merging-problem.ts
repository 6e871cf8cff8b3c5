import type { Problem } from "../../core/errors.ts";

/**
 * Experts of a layer that join others: each of `joining` goes to one of `dominant`, so that those who end up together are as alike
 * as they can be. The grouping of M-SMoE (arXiv 2310.01334), with a limit on what a group holds, which the paper does not have.
 */
export interface MergingProblem {
  readonly experts: number;
  /** [experts][experts] how alike the expert of the row is to that of the column: any finite scale, more is more alike. */
  readonly similarity: Float64Array;
  /** Experts that stay. Of dominant experts as alike as one another, the one that stands first is joined. */
  readonly dominant: readonly number[];
  readonly joining: readonly number[];
  /** Experts of a group at most, the dominant one counted; absent: no limit. */
  readonly membersMax?: number;
}

/** [joining] place in `dominant` of the expert that each joins. */
export type Merging = Uint16Array;

/** Experts that may join each dominant one. */
export const roomOf = ({ membersMax = Infinity, joining }: MergingProblem): number =>
  Math.min(membersMax - 1, joining.length);

export function mergingProblems({ experts, similarity, dominant, joining, membersMax }: MergingProblem): Problem[] {
  const problems: Problem[] = [];
  const expect = (holds: boolean, at: string, expected: string, found: unknown): void => {
    if (!holds) problems.push({ at, expected, found });
  };
  expect(similarity.length === experts * experts, "similarity", `${experts} x ${experts} values`, similarity.length);
  const bad = similarity.findIndex((value) => !Number.isFinite(value));
  expect(bad < 0, `similarity[${Math.floor(bad / experts)}][${bad % experts}]`, "a finite number", similarity[bad]);
  const named = [...dominant, ...joining];
  const apart = new Set(named).size === named.length;
  const known = named.every((expert) => Number.isInteger(expert) && expert >= 0 && expert < experts);
  expect(apart && known, "joining", `different experts below ${experts}, none of them dominant`, joining.join(","));
  expect(joining.length === 0 || dominant.length > 0, "dominant", "an expert that others join", "none");
  if (membersMax === undefined) return problems;
  const whole = Number.isInteger(membersMax) && membersMax > 0;
  expect(whole, "membersMax", "a whole number of experts", membersMax);
  if (whole && dominant.length > 0) {
    const least = Math.ceil(named.length / dominant.length);
    expect(
      membersMax >= least,
      "membersMax",
      `at least ${least}, for ${named.length} experts in ${dominant.length} groups`,
      membersMax,
    );
  }
  return problems;
}

const alike = ({ experts, similarity, dominant, joining }: MergingProblem, i: number, group: number): number =>
  similarity[joining[i]! * experts + dominant[group]!]!;

/** [joining][dominant] what solvers minimise: how much less alike each is than the one most like it. */
export function unlikeness(problem: MergingProblem): Float64Array {
  const { dominant, joining } = problem;
  const costs = new Float64Array(joining.length * dominant.length);
  for (let i = 0; i < joining.length; i++) {
    let most = -Infinity;
    for (let group = 0; group < dominant.length; group++) most = Math.max(most, alike(problem, i, group));
    for (let group = 0; group < dominant.length; group++)
      costs[i * dominant.length + group] = most - alike(problem, i, group);
  }
  return costs;
}

/** Likeness that is lost against every expert joining the one most like it. */
export function likenessLost(problem: MergingProblem, merging: Merging): number {
  const costs = unlikeness(problem);
  return merging.reduce((sum, group, i) => sum + costs[i * problem.dominant.length + group]!, 0);
}

export function mergingViolation(problem: MergingProblem, merging: Merging): string | null {
  const { dominant, joining } = problem;
  if (merging.length !== joining.length) return `${merging.length} experts of ${joining.length}`;
  const joined = new Uint32Array(dominant.length);
  for (const group of merging) {
    if (group >= dominant.length) return `no group ${group}`;
    joined[group]! += 1;
  }
  const most = joined.reduce((a, b) => Math.max(a, b), 0);
  return most > roomOf(problem) ? `a group of ${most + 1}` : null;
}
