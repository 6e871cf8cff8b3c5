import { belady } from "../../policy/cache/belady.ts";
import type { CacheScope } from "../../policy/cache/cache-scope.ts";
import { cachePolicies, livePolicyNames } from "../../policy/cache/caches.ts";
import { type CachePolicy, configured } from "../../policy/cache/expert-cache.ts";
import { staticTop } from "../../policy/cache/static-top.ts";
import { cacheFor, replayCalls } from "./replay-calls.ts";
import { type RoutedCalls, usesOf } from "./routed-calls.ts";

/** The calls of a half, and what is counted in the other one. */
export interface JudgedCalls {
  readonly calls: RoutedCalls;
  readonly fitted: Float64Array;
}

/** Hits of one policy at each size. */
export interface PolicyHits {
  readonly name: string;
  /** A policy that a run can follow, or a reference that knows the accesses to come. */
  readonly role: "policy" | "reference";
  readonly hits: readonly number[];
}

/** A fixed set and two optima: what the judged calls themselves would have been served best by. */
const references: readonly { readonly name: string; readonly policy: CachePolicy }[] = [
  { name: "best fixed set", policy: staticTop },
  { name: "belady", policy: belady },
  { name: "belady, bypassing", policy: configured(belady, { bypass: true, loaded: false }) },
];

/** Policies of the table that a run can follow, with their defaults, and what keeps the others out of a replay of this trace. */
export function replayablePolicies(
  calls: RoutedCalls,
  scope: CacheScope,
): {
  readonly policies: readonly CachePolicy[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
} {
  const live = livePolicyNames.map((name): CachePolicy => cachePolicies[name]);
  const there = new Set<string>([
    "popularity",
    ...(calls.weights === null ? [] : ["weights"]),
    // Experts of all layers against one another.
    ...(scope === "global" ? ["layers"] : []),
  ]);
  const lacks = (policy: CachePolicy): string[] => policy.needs.filter((need) => !there.has(need));
  return {
    policies: live.filter((policy) => lacks(policy).length === 0),
    leftOut: live
      .filter((policy) => lacks(policy).length > 0)
      .map((policy) => ({
        name: policy.name,
        reason: lacks(policy)
          .map((need) => missing[need] ?? `no ${need}`)
          .join(", "),
      })),
  };
}

/** What it takes to replay a policy with such a need. */
const missing: Readonly<Record<string, string>> = {
  weights: "the trace has no router weights",
  layers: "--scope global only",
};

/** Whether some policy of the table ranks by router weights. */
export const someNeedWeights = livePolicyNames.some((name) =>
  (cachePolicies[name] as CachePolicy).needs.includes("weights"),
);

/** Replays every policy and reference at every size, in both halves. */
export function policyTable(
  halves: readonly JudgedCalls[],
  policies: readonly CachePolicy[],
  scope: CacheScope,
  sizes: readonly number[],
): PolicyHits[] {
  const knowing = halves.map(({ calls }) => ({ calls, fitted: usesOf(calls) }));
  const atSizes = (policy: CachePolicy, over: readonly JudgedCalls[]) =>
    sizes.map((slots) => hitsOver(over, policy, scope, slots));
  return [
    ...policies.map((policy): PolicyHits => ({ name: policy.name, role: "policy", hits: atSizes(policy, halves) })),
    ...references.map(({ name, policy }): PolicyHits => ({ name, role: "reference", hits: atSizes(policy, knowing) })),
  ];
}

/** Hits of a policy in all halves, each from an empty cache. */
export const hitsOver = (
  halves: readonly JudgedCalls[],
  policy: CachePolicy,
  scope: CacheScope,
  slots: number,
): number =>
  halves.reduce(
    (sum, { calls, fitted }) =>
      sum + replayCalls(calls, cacheFor(policy, calls, { scope, slots, popularity: fitted })).hits,
    0,
  );
