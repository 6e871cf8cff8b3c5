import { lru } from "../../policy/cache/lru.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { expertCounts } from "../../trace/stats/popularity.ts";
import { transitionCounts } from "../../trace/stats/transition.ts";

/** How well a guess names the experts of a layer before the layer is reached. */
export interface PredictorScore {
  readonly name: string;
  /** Experts named for each token: topK, and twice as many; of those used the share named, and of those named the share used. */
  readonly recall: number;
  readonly precision: number;
  readonly recallOfTwice: number | null;
  readonly precisionOfTwice: number | null;
  /** Of the misses of the LRU cache, the share that was among the topK named. */
  readonly missesNamed: number;
  /** Of the experts named (topK) that were not resident, the share that was used: the rest is moved in vain. */
  readonly fetchesUsed: number;
}

export interface Predictability {
  /** Slots of each layer of the LRU cache behind which guesses are worth something. */
  readonly slots: number;
  readonly scores: readonly PredictorScore[];
}

/** What a predictor named and what came of it. */
class Tally {
  wanted = 0;
  readonly named = [0, 0];
  readonly right = [0, 0];
  misses = 0;
  fetches = 0;
  fetchesUsed = 0;

  score(name: string, twice: boolean): PredictorScore {
    const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
    return {
      name,
      recall: share(this.right[0]!, this.wanted),
      precision: share(this.right[0]!, this.named[0]!),
      recallOfTwice: twice ? share(this.right[1]!, this.wanted) : null,
      precisionOfTwice: twice ? share(this.right[1]!, this.named[1]!) : null,
      missesNamed: share(this.fetchesUsed, this.misses),
      fetchesUsed: share(this.fetchesUsed, this.fetches),
    };
  }
}

/**
 * Guesses of the experts of each recorded layer but the first, over tokens one sequence after the other. `next layer` ranks by
 * how often experts were chosen after those that the token chose in the recorded layer before; `popularity` by how often at all.
 * Both are counted in the half of the trace that is not judged. `previous token` names what the token before chose. Null where
 * there is one layer only.
 */
export function predictability(halves: readonly [RoutingTable, RoutingTable], slots: number): Predictability | null {
  const { layers } = halves[0];
  if (layers < 2) return null;
  const tallies = { next: new Tally(), previous: new Tally(), popular: new Tally() };
  for (const [judged, fitting] of [halves, [halves[1], halves[0]]] as const)
    for (let layer = 1; layer < layers; layer++) judgeLayer(judged, fitting, layer, slots, tallies);
  return {
    slots,
    scores: [
      tallies.next.score("next layer", true),
      tallies.previous.score("previous token", false),
      tallies.popular.score("popularity", true),
    ],
  };
}

function judgeLayer(
  judged: RoutingTable,
  fitting: RoutingTable,
  layer: number,
  slots: number,
  tallies: { readonly next: Tally; readonly previous: Tally; readonly popular: Tally },
): void {
  const { ids, topK, experts, layers, sequenceStarts } = judged;
  const stride = layers * topK;
  const follows = followShares(fitting, layer - 1);
  const twice = Math.min(experts, 2 * topK);
  const popular = highest(expertCounts(fitting, layer), twice);
  const cache = lru.create({ objects: experts, capacity: slots, popularity: null, future: null });
  const scores = new Float64Array(experts);
  const isUsed = new Uint8Array(experts);
  const hit = new Uint8Array(topK);
  for (let s = 0; s + 1 < sequenceStarts.length; s++)
    for (let row = sequenceStarts[s]!; row < sequenceStarts[s + 1]!; row++) {
      const at = row * stride + layer * topK;
      const used = chosen(ids, at, topK, experts);
      for (const expert of used) isUsed[expert] = 1;
      scores.fill(0);
      for (const above of chosen(ids, at - topK, topK, experts))
        for (let expert = 0; expert < experts; expert++) scores[expert]! += follows[above * experts + expert]!;
      const before = row > sequenceStarts[s]! ? chosen(ids, at - stride, topK, experts) : [];
      let misses = 0;
      for (const expert of used) if (!cache.contains(expert)) misses += 1;
      const judge = (tally: Tally, named: readonly number[]): void => {
        tally.wanted += used.length;
        tally.misses += misses;
        for (const [i, expert] of named.entries()) {
          for (const size of i < topK ? [0, 1] : [1]) {
            tally.named[size]! += 1;
            tally.right[size]! += isUsed[expert]!;
          }
          if (i >= topK || cache.contains(expert)) continue;
          tally.fetches += 1;
          tally.fetchesUsed += isUsed[expert]!;
        }
      };
      judge(tallies.next, highest(scores, twice));
      judge(tallies.previous, before);
      judge(tallies.popular, popular);
      for (const expert of used) isUsed[expert] = 0;
      cache.call(Uint32Array.from(used), 0, used.length, hit);
    }
}

/** Experts among `topK` choices. */
function chosen(ids: RoutingTable["ids"], from: number, topK: number, experts: number): number[] {
  const found: number[] = [];
  for (let at = from; at < from + topK; at++) if (ids[at]! < experts) found.push(ids[at]!);
  return found;
}

/** Of the tokens that chose e in `layer`, the share that chose f in the next: [experts][experts]. */
function followShares(table: RoutingTable, layer: number): Float64Array {
  const shares = transitionCounts(table, layer);
  const uses = expertCounts(table, layer);
  for (let at = 0; at < shares.length; at++) shares[at]! /= Math.max(1, uses[Math.floor(at / table.experts)]!);
  return shares;
}

/** The `count` experts of the highest scores, the highest first, ties to the lower id. */
function highest(scores: Float64Array, count: number): number[] {
  const best: number[] = [];
  for (let expert = 0; expert < scores.length; expert++) {
    const score = scores[expert]!;
    if (best.length === count && score <= scores[best[count - 1]!]!) continue;
    let at = best.length < count ? best.length : count - 1;
    for (; at > 0 && scores[best[at - 1]!]! < score; at--) best[at] = best[at - 1]!;
    best[at] = expert;
  }
  return best;
}
