import { RecencyStack } from "../../trace/stats/recency-stack.ts";
import type { CacheScope } from "./cache-scope.ts";
import type { CallLog } from "./expert-cache.ts";

/** Hits of a policy at every size, from one pass over the calls. */
export interface HitCurve {
  readonly accesses: number;
  /** Accesses to an expert that was not used before; a miss at every size. */
  readonly coldMisses: number;
  /** The smallest size at which the curve holds; entries below are NaN. */
  readonly from: number;
  /** Hits with a cache of c slots (per layer, or in all in the global scope), c = 0 .. experts of the cache. */
  readonly hits: Float64Array;
}

/** Calls for the experts of a model: expert e of layer l is key `l * experts + e`. A call stays in one layer. */
export interface ExpertCalls extends CallLog {
  readonly layers: number;
  readonly experts: number;
}

/** A list of experts such that a cache of c slots holds its first c, whatever c is (Mattson et al., 1970). */
export interface ExpertStack {
  /** Place of an expert, 0 being the first; -1 if it was never used. */
  distance(key: number): number;
  /** A call has been served: keys[from .. to) less `base`. */
  served(keys: Uint32Array, from: number, to: number, base: number): void;
}

/** The experts of a cache, the most recent first. */
class RecencyOrder extends RecencyStack implements ExpertStack {
  served(keys: Uint32Array, from: number, to: number, base: number): void {
    for (let i = from; i < to; i++) this.touch(keys[i]! - base);
  }
}

/** LRU at every size, event-atomic; the same that `lruCurve` counts of a table whose caches are emptied between sequences. */
export const lruHitCurve = (calls: ExpertCalls, scope: CacheScope): HitCurve =>
  hitCurve(calls, scope, 0, (experts) => new RecencyOrder(experts));

/** Hits at every size from `from` on, of a policy that keeps such a list for each cache. */
export function hitCurve(
  { keys, starts, calls, layers, experts }: ExpertCalls,
  scope: CacheScope,
  from: number,
  create: (experts: number) => ExpertStack,
): HitCurve {
  const objects = scope === "layer" ? experts : layers * experts;
  const stacks = Array.from({ length: scope === "layer" ? layers : 1 }, () => create(objects));
  const atDistance = new Float64Array(objects);
  let cold = 0;
  for (let call = 0; call < calls; call++) {
    const [first, end] = [starts[call]!, starts[call + 1]!];
    const at = scope === "layer" ? Math.floor(keys[first]! / experts) : 0;
    const base = at * experts;
    const stack = stacks[at]!;
    for (let i = first; i < end; i++) {
      const distance = stack.distance(keys[i]! - base);
      if (distance < 0) cold += 1;
      else atDistance[distance]! += 1;
    }
    stack.served(keys, first, end, base);
  }
  const hits = new Float64Array(objects + 1);
  for (let size = 0; size < objects; size++) hits[size + 1] = hits[size]! + atDistance[size]!;
  hits.fill(Number.NaN, 0, Math.min(from, hits.length));
  return { accesses: keys.length, coldMisses: cold, from, hits };
}

/** Adds curves over different calls of caches of one size; NaN below the size from which all hold. */
export function sumOfCurves(curves: readonly HitCurve[]): HitCurve {
  const hits = new Float64Array(curves[0]?.hits.length ?? 0);
  for (const curve of curves) for (let size = 0; size < hits.length; size++) hits[size]! += curve.hits[size]!;
  return {
    accesses: curves.reduce((sum, { accesses }) => sum + accesses, 0),
    coldMisses: curves.reduce((sum, { coldMisses }) => sum + coldMisses, 0),
    from: Math.max(0, ...curves.map(({ from }) => from)),
    hits,
  };
}
