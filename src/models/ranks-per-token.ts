import { sum } from "../core/statistics.ts";
import { expertsByGroup } from "./contiguous-ranks.ts";
import type { Router } from "./spec.ts";

/** One token routed uniformly to experts that lie on `ranks` contiguous ranks. */
interface TokenRouting {
  readonly experts: number;
  readonly topK: number;
  readonly ranks: number;
  readonly groups: Router["groups"];
  /** Experts beside them that lie on no rank. Without groups only. Absent: none. */
  readonly zeroExperts?: number;
}

/** How the experts of a rank lie in the groups of the router: `alike` ranks hold so many whole groups and parts of others. */
interface RankLayout {
  alike: number;
  readonly whole: number;
  readonly parts: readonly number[];
}

/** Expected number of ranks that hold at least one expert of a token: how often dispatch sends it. */
export function expectedRanksPerToken(routing: TokenRouting): number {
  let reached = 0;
  for (const layout of rankLayouts(routing)) reached += layout.alike * reachedShare(routing, layout);
  return reached;
}

function rankLayouts({ experts, ranks, groups }: TokenRouting): RankLayout[] {
  const count = groups?.count ?? 1;
  const size = experts / count;
  const layouts = new Map<string, RankLayout>();
  for (let rank = 0; rank < Math.min(ranks, experts); rank++) {
    const held = expertsByGroup(rank, experts, ranks, count);
    const parts = held.filter((own) => own < size).sort((a, b) => a - b);
    const whole = held.length - parts.length;
    const key = `${whole}+${parts.join("+")}`;
    const known = layouts.get(key);
    if (known === undefined) layouts.set(key, { alike: 1, whole, parts });
    else known.alike += 1;
  }
  return [...layouts.values()];
}

/** Probability that a token chooses an expert of a rank, over which groups are kept. */
function reachedShare({ experts, topK, groups, zeroExperts = 0 }: TokenRouting, { whole, parts }: RankLayout): number {
  const { count, kept, topKPerGroup } = { topKPerGroup: undefined, ...(groups ?? { count: 1, kept: 1 }) };
  const size = experts / count;
  let reached = 0;
  for (let chosen = 0; chosen < 1 << parts.length; chosen++) {
    const own = parts.filter((_, part) => ((chosen >> part) & 1) === 1);
    const partsProbability = exactlyKept(count, kept, parts.length, own.length);
    if (partsProbability === 0) continue;
    for (let owned = 0; owned <= Math.min(whole, kept - own.length); owned++) {
      if (owned + own.length === 0) continue;
      const missed =
        topKPerGroup === undefined
          ? missedShare(kept * size + zeroExperts, owned * size + sum(own), topK)
          : owned > 0
            ? 0
            : own.reduce((missing, held) => missing * missedShare(size, held, topKPerGroup), 1);
      const wholeProbability = keptOf(count - parts.length, whole, kept - own.length, owned);
      reached += (1 - missed) * wholeProbability * partsProbability;
    }
  }
  return reached;
}

/** Probability that `drawn` given ones of `marked` groups, and not the other marked ones, are among `kept` of `count`. */
function exactlyKept(count: number, kept: number, marked: number, drawn: number): number {
  let probability = 1;
  for (let i = 0; i < drawn; i++) probability *= Math.max(0, kept - i) / (count - i);
  for (let i = drawn; i < marked; i++) probability *= Math.max(0, count - kept - (i - drawn)) / (count - i);
  return probability;
}

/** Probability that none of `drawn` of `items` is among `marked` of them. */
export function missedShare(items: number, marked: number, drawn: number): number {
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
