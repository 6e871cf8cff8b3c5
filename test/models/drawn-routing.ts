import type { RandomStream } from "../../src/core/random.ts";
import type { Router } from "../../src/models/spec.ts";

/** Routers with groups: one expert of every group, and half of the groups kept. */
export const grouped = { count: 8, kept: 8, topKPerGroup: 1 };
export const limited = { count: 8, kept: 4 };

/** Rank of every expert as an engine places them: each rank in turn takes its share of what is left, rounded up. */
export function placedInTurn(experts: number, ranks: number): number[] {
  const rankOf: number[] = [];
  for (let rank = 0; rank < ranks; rank++)
    for (let left = Math.ceil((experts - rankOf.length) / (ranks - rank)); left > 0; left--) rankOf.push(rank);
  return rankOf;
}

/** Every choice of `drawn` of `items`. */
export function choices(items: number, drawn: number, from = 0): number[][] {
  if (drawn === 0) return [[]];
  const all: number[][] = [];
  for (let first = from; first <= items - drawn; first++)
    for (const rest of choices(items, drawn - 1, first + 1)) all.push([first, ...rest]);
  return all;
}

/** `count` different whole numbers below `items`, every choice equally likely (Floyd 1987). */
function drawn(rng: RandomStream, items: number, count: number): number[] {
  const chosen = new Set<number>();
  for (let last = items - count; last < items; last++) {
    const candidate = rng.below(last + 1);
    chosen.add(chosen.has(candidate) ? last : candidate);
  }
  return [...chosen];
}

/** Experts of one token: groups are drawn first, then experts in them. */
export function drawnChoice(
  rng: RandomStream,
  { experts, topK, groups }: { experts: number; topK: number; groups: Router["groups"] },
): number[] {
  if (groups === null) return drawn(rng, experts, topK);
  const size = experts / groups.count;
  const kept = drawn(rng, groups.count, groups.kept);
  const perGroup = groups.topKPerGroup;
  if (perGroup !== undefined) return kept.flatMap((group) => drawn(rng, size, perGroup).map((e) => group * size + e));
  return drawn(rng, groups.kept * size, topK).map((e) => (kept[Math.floor(e / size)] as number) * size + (e % size));
}

/** Largest pairs and largest distinct experts of any rank. */
export function largestOfRanks(counts: Uint32Array, rankOf: readonly number[]): { pairs: number; distinct: number } {
  const pairs: number[] = [];
  const distinct: number[] = [];
  for (const [expert, count] of counts.entries()) {
    const rank = rankOf[expert] as number;
    pairs[rank] = (pairs[rank] ?? 0) + count;
    distinct[rank] = (distinct[rank] ?? 0) + (count > 0 ? 1 : 0);
  }
  return { pairs: Math.max(...pairs), distinct: Math.max(...distinct) };
}
