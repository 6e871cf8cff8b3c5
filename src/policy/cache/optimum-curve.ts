import type { CacheScope } from "./cache-scope.ts";
import { type ExpertCalls, type HitCurve, hitCurve } from "./hit-curve.ts";
import { longestCall } from "./call-log.ts";
import { OptimumStack } from "./optimum-stack.ts";

/**
 * The optimum at every size, event-atomic. Where every expert of a call must stay (`mandatory`), it holds from the size of the
 * largest call on: a cache that is too small for a call streams the surplus and may so keep what a cache one slot larger has to
 * evict, and no list holds both. Where a call may stay out (`free`) it holds at every size, and is the least that any admission
 * can miss.
 */
export function optimumHitCurve(calls: ExpertCalls, scope: CacheScope, admission: "mandatory" | "free"): HitCurve {
  const nextUse = nextUses(calls);
  const from = admission === "free" ? 0 : longestCall(calls);
  return hitCurve(calls, scope, from, (experts) => new OptimumStack(experts, nextUse, admission));
}

/** Position of the next use of the expert at each position; beyond the last position where there is none. */
function nextUses({ keys, layers, experts }: ExpertCalls): Int32Array {
  const next = new Int32Array(keys.length);
  const upcoming = new Int32Array(layers * experts).fill(keys.length);
  for (let position = keys.length - 1; position >= 0; position--) {
    next[position] = upcoming[keys[position]!]!;
    upcoming[keys[position]!] = position;
  }
  return next;
}
