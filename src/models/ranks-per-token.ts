import type { Router } from "./spec.ts";

/** One token routed uniformly to experts that lie on `ranks` equal contiguous ranks. */
interface TokenRouting {
  readonly experts: number;
  readonly topK: number;
  readonly ranks: number;
  readonly groups: Router["groups"];
}

/**
 * Expected number of ranks that hold at least one expert of a token: how often dispatch sends it. Exact where ranks hold
 * whole groups or lie inside one; a rank across groups counts as if it were inside one.
 */
export function expectedRanksPerToken({ experts, topK, ranks, groups }: TokenRouting): number {
  const own = experts / ranks;
  if (groups === null) return ranks * (1 - allElsewhere(experts, own, topK));
  const { count, kept, topKPerGroup } = groups;
  const size = experts / count;
  const whole = Math.floor(own / size);
  const missed = (groupsOwned: number): number => {
    if (topKPerGroup !== undefined) return groupsOwned > 0 ? 0 : 1;
    return allElsewhere(kept * size, groupsOwned * size, topK);
  };
  if (whole === 0) {
    const chosen = topKPerGroup === undefined ? topK : topKPerGroup;
    const among = topKPerGroup === undefined ? kept * size : size;
    return ((ranks * kept) / count) * (1 - allElsewhere(among, own, chosen));
  }
  let reached = 0;
  for (let owned = 1; owned <= Math.min(whole, kept); owned++)
    reached += (1 - missed(owned)) * keptOf(count, whole, kept, owned);
  return ranks * reached;
}

/** Probability that none of `drawn` of `items` is among `marked` of them. */
function allElsewhere(items: number, marked: number, drawn: number): number {
  let probability = 1;
  for (let i = 0; i < drawn; i++) probability *= Math.max(0, items - marked - i) / (items - i);
  return probability;
}

/** Probability that exactly `owned` of `marked` groups are among `kept` of `count` (hypergeometric). */
function keptOf(count: number, marked: number, kept: number, owned: number): number {
  let probability = 1;
  for (let i = 0; i < owned; i++) probability *= ((marked - i) * (kept - i)) / ((count - i) * (i + 1));
  for (let i = 0; i < kept - owned; i++) probability *= Math.max(0, count - marked - i) / (count - owned - i);
  return probability;
}
