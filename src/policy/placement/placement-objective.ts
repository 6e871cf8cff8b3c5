import { distanceOf } from "./cross-traffic.ts";
import type { LayerCopies } from "./layer-copies.ts";
import type { PlacementInput } from "./placement.ts";
import { copiesByRank } from "./placement-input.ts";

/** What a placement can be good at. Less is better in all, and each has a unit of its own. */
export interface PlacementGoals {
  /** Busiest rank over the mean, summed over layers before they are divided: 1 is perfect. */
  readonly load: number;
  /** Mean distance from an expert of a token to one of the next layer, each the nearest copy of it. */
  readonly traffic: number;
  /** Mean distance of two experts that a token chooses in a layer. */
  readonly spread: number;
  /** Copies that a rank has to receive, over the experts of all layers. */
  readonly migrations: number;
  /** Copies beyond one of each expert, over the experts of all layers. */
  readonly further: number;
}

export type GoalWeights = PlacementGoals;

/** Sums that goals are divided by, so that their parts of each layer add up. */
export interface GoalScale {
  readonly meanBusy: number;
  readonly transitions: number;
  readonly pairs: number;
  readonly experts: number;
  readonly distance: Float64Array;
}

const total = (values: Float64Array | undefined): number => values?.reduce((sum, value) => sum + value, 0) ?? 0;

export function goalScale(input: PlacementInput): GoalScale {
  const speed = input.rankSpeed === undefined ? input.ranks : total(input.rankSpeed);
  return {
    meanBusy: total(input.loads ?? undefined) / speed,
    transitions: total(input.transitions),
    pairs: total(input.pairs),
    experts: input.layers * input.experts,
    distance: distanceOf(input),
  };
}

/** [experts][ranks] distance from a rank to the nearest copy of an expert. */
export function nearestCopy(copies: LayerCopies, distance: Float64Array): Float64Array {
  const { experts, ranks, byRank } = copies;
  const nearest = new Float64Array(experts * ranks).fill(Infinity);
  for (const [there, held] of byRank.entries())
    for (const expert of held)
      for (let from = 0; from < ranks; from++) {
        const way = distance[from * ranks + there]!;
        if (way < nearest[expert * ranks + from]!) nearest[expert * ranks + from] = way;
      }
  return nearest;
}

/** Distance of the experts that a token chooses in turn or together, summed over a matrix of counts from `base` on. */
export function distanceSum(counts: Float64Array, base: number, from: LayerCopies, nearest: Float64Array): number {
  const { experts, ranks, byRank } = from;
  let sum = 0;
  for (const [rank, held] of byRank.entries())
    for (const expert of held) {
      let ways = 0;
      for (let to = 0; to < experts; to++) {
        const tokens = counts[base + expert * experts + to]!;
        if (tokens > 0) ways += tokens * nearest[to * ranks + rank]!;
      }
      sum += ways / from.counts[expert]!;
    }
  return sum;
}

/** [ranks] experts that each rank holds in the placement in use; null without one. */
export function heldBefore({ previous }: PlacementInput, layer: number): Set<number>[] | null {
  return previous === null || previous === undefined
    ? null
    : copiesByRank(previous, layer).map((held) => new Set(held));
}

/** Copies of a layer that ranks have to receive. */
export function receivedCopies(copies: LayerCopies, before: readonly ReadonlySet<number>[] | null): number {
  if (before === null) return 0;
  let received = 0;
  for (const [rank, held] of copies.byRank.entries())
    for (const expert of new Set(held)) if (!before[rank]!.has(expert)) received += 1;
  return received;
}

/** Goals of a whole placement. Those that nothing is known of are 0. */
export function placementGoals(input: PlacementInput, layers: readonly LayerCopies[]): PlacementGoals {
  const scale = goalScale(input);
  const { experts } = input;
  const sums = { load: 0, traffic: 0, spread: 0, migrations: 0, further: 0 };
  for (const [layer, copies] of layers.entries()) {
    sums.load += Math.max(...copies.busy());
    const nearest = nearestCopy(copies, scale.distance);
    if (layer > 0 && input.transitions !== undefined)
      sums.traffic += distanceSum(input.transitions, (layer - 1) * experts * experts, layers[layer - 1]!, nearest);
    if (input.pairs !== undefined) sums.spread += distanceSum(input.pairs, layer * experts * experts, copies, nearest);
    sums.migrations += receivedCopies(copies, heldBefore(input, layer));
    sums.further += copies.counts.reduce((sum, count) => sum + count - 1, 0);
  }
  const over = (sum: number, by: number) => (by === 0 ? 0 : sum / by);
  return {
    load: over(sums.load, scale.meanBusy),
    traffic: over(sums.traffic, scale.transitions),
    spread: over(sums.spread, scale.pairs),
    migrations: sums.migrations / scale.experts,
    further: sums.further / scale.experts,
  };
}

/** Goals in one number. */
export const goalSum = (goals: PlacementGoals, weights: GoalWeights): number =>
  weights.load * goals.load +
  weights.traffic * goals.traffic +
  weights.spread * goals.spread +
  weights.migrations * goals.migrations +
  weights.further * goals.further;
