/**
 * Experts on contiguous ranks. Where ranks do not divide experts, the first ranks hold one more, as vLLM places them
 * (`determine_expert_map`); ranks beyond the experts hold none. All in whole numbers.
 */

/** First expert of a rank; of rank `ranks`, the number of experts. */
function firstExpertOf(rank: number, experts: number, ranks: number): number {
  return rank * Math.floor(experts / ranks) + Math.min(rank, experts % ranks);
}

/** Experts of a rank. */
export function expertsOfRank(rank: number, experts: number, ranks: number): number {
  return firstExpertOf(rank + 1, experts, ranks) - firstExpertOf(rank, experts, ranks);
}

/** Ranks that hold the same number of experts. */
export interface RankKind {
  readonly ranks: number;
  readonly experts: number;
}

/** Ranks by the number of experts they hold, most experts first; ranks without experts are left out. */
export function rankKinds(experts: number, ranks: number): RankKind[] {
  const least = Math.floor(experts / ranks);
  const larger = experts % ranks;
  return [
    { ranks: larger, experts: least + 1 },
    { ranks: ranks - larger, experts: least },
  ].filter((kind) => kind.ranks > 0 && kind.experts > 0);
}

/** Experts of a rank in each group of the router it reaches into; groups are contiguous and equal. */
export function expertsByGroup(rank: number, experts: number, ranks: number, groups: number): number[] {
  const size = experts / groups;
  const first = firstExpertOf(rank, experts, ranks);
  const end = firstExpertOf(rank + 1, experts, ranks);
  const held: number[] = [];
  for (let group = Math.floor(first / size); group < groups && group * size < end; group++)
    held.push(Math.min(end, (group + 1) * size) - Math.max(first, group * size));
  return held;
}
