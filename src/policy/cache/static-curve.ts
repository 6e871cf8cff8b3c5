import type { CacheScope } from "./cache-scope.ts";
import type { ExpertCalls, HitCurve } from "./hit-curve.ts";

/**
 * The best fixed set at every size: the experts that these very calls use most, of a layer or of all, are there from the start
 * and stay. Of experts that are used equally it does not matter which.
 */
export function staticHitCurve({ keys, layers, experts }: ExpertCalls, scope: CacheScope): HitCurve {
  const uses = new Float64Array(layers * experts);
  for (const key of keys) uses[key]! += 1;
  const objects = scope === "layer" ? experts : layers * experts;
  const hits = new Float64Array(objects + 1);
  for (let from = 0; from < uses.length; from += objects) {
    const mostFirst = uses.slice(from, from + objects).sort((a, b) => b - a);
    for (let size = 1, sum = 0; size <= objects; size++) {
      sum += mostFirst[size - 1]!;
      hits[size]! += sum;
    }
  }
  return { accesses: keys.length, coldMisses: 0, from: 0, hits };
}
