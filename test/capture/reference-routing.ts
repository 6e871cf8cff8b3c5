import type { RoutingRule } from "../../src/models/routing.ts";

/** Experts of one token with their weights, by descending weight. */
export interface ReferenceChoice {
  readonly ids: number[];
  readonly weights: number[];
}

/** Routers as their papers write them, by sorting, in float64: the plain counterpart of `routeTokens`. */
export function referenceRoute(
  logits: readonly number[],
  topK: number,
  rule: RoutingRule,
  bias: readonly number[] | null,
): ReferenceChoice {
  const top = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
  const scores = logits.map((logit) =>
    rule.scoring === "softmax" ? Math.exp(logit - top) / total : 1 / (1 + Math.exp(-logit)),
  );
  const selection = scores.map((score, e) => score + (bias?.[e] ?? 0));
  const best = (among: readonly number[], count: number) =>
    [...among].sort((a, b) => selection[b]! - selection[a]! || a - b).slice(0, count);
  const all = logits.map((_, e) => e);
  const chosen = chooseWithin(rule, all, topK, selection, best);
  const sum = chosen.reduce((total_, e) => total_ + scores[e]!, 0);
  const weights = new Map(
    chosen.map((e) => [
      e,
      (scores[e]! / (rule.normalisesTopK ? sum + (rule.scoring === "sigmoid" ? 1e-20 : 0) : 1)) * rule.scale,
    ]),
  );
  const ids = [...chosen].sort((a, b) => weights.get(b)! - weights.get(a)! || a - b);
  return { ids, weights: ids.map((e) => weights.get(e)!) };
}

function chooseWithin(
  { groups }: RoutingRule,
  all: readonly number[],
  topK: number,
  selection: readonly number[],
  best: (among: readonly number[], count: number) => number[],
): number[] {
  if (groups === null) return best(all, topK);
  const size = all.length / groups.count;
  const members = Array.from({ length: groups.count }, (_, g) => all.slice(g * size, (g + 1) * size));
  if (groups.rank === "each") return members.flatMap((group) => best(group, topK / groups.count));
  const worth = members.map((group) => {
    const counted = best(group, groups.rank === "max" ? 1 : 2);
    return counted.reduce((sum, e) => sum + selection[e]!, 0);
  });
  const open = worth
    .map((_, g) => g)
    .sort((a, b) => worth[b]! - worth[a]! || a - b)
    .slice(0, groups.kept);
  return best(
    open.flatMap((g) => members[g]!),
    topK,
  );
}
