import { binomial } from "../../core/binomial.ts";
import { RandomStream } from "../../core/random.ts";

/** Pairs that are drawn in all, and steps of a layer at least and at most. */
const drawsMax = 1_000_000;
const stepsMin = 4;
const stepsMax = 100;
/** So many pairs are not drawn one by one. */
const pairsFew = 32_768;

/**
 * Heaviest over mean rank that a step of `pairs` (token, expert) pairs has by chance alone, mean over layers: each pair chooses its
 * rank independently, with the ranks' shares of the load. Drawn from a stream of its own, so that the same loads give the same
 * figure. With equal loads it is what no map can better but by dividing the tokens of a step themselves.
 * @param loads [layers][ranks]
 */
export function chanceImbalance(loads: Float64Array, ranks: number, pairs: number): number {
  const layers = loads.length / ranks;
  const draws = pairs > pairsFew ? ranks : pairs;
  const steps = Math.max(stepsMin, Math.min(stepsMax, Math.floor(drawsMax / (layers * draws))));
  const random = new RandomStream(0, "chance imbalance");
  const below = new Float64Array(ranks);
  const counts = new Float64Array(ranks);
  let ratios = 0;
  for (let layer = 0; layer < layers; layer++) {
    let sum = 0;
    for (let rank = 0; rank < ranks; rank++) {
      sum += loads[layer * ranks + rank]!;
      below[rank] = sum;
    }
    if (sum === 0) {
      ratios += 1;
      continue;
    }
    for (let step = 0; step < steps; step++) {
      const most = pairs > pairsFew ? busiestOfMany(random, below, pairs) : busiest(random, below, counts, pairs);
      ratios += (most * ranks) / pairs / steps;
    }
  }
  return ratios / layers;
}

/** Pairs of the busiest rank, drawn one by one. `below`: sums of the ranks' loads up to each. */
function busiest(random: RandomStream, below: Float64Array, counts: Float64Array, pairs: number): number {
  const ranks = below.length;
  const sum = below[ranks - 1]!;
  counts.fill(0);
  let most = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const draw = random.uniform() * sum;
    let rank = 0;
    while (rank < ranks - 1 && draw >= below[rank]!) rank++;
    const count = counts[rank]! + 1;
    counts[rank] = count;
    if (count > most) most = count;
  }
  return most;
}

/** The same, rank after rank: of the pairs that are left each takes a binomial part. */
function busiestOfMany(random: RandomStream, below: Float64Array, pairs: number): number {
  const ranks = below.length;
  const sum = below[ranks - 1]!;
  let left = pairs;
  let most = 0;
  for (let rank = 0; rank < ranks && left > 0; rank++) {
    const before = rank === 0 ? 0 : below[rank - 1]!;
    const count = rank === ranks - 1 ? left : binomial(random, left, (below[rank]! - before) / (sum - before));
    left -= count;
    if (count > most) most = count;
  }
  return most;
}

/** Layers that are drawn where all are alike. */
const layersOfEqual = 4;

/** The same of equally loaded ranks. */
export const chanceOfEqual = (ranks: number, pairs: number): number =>
  chanceImbalance(new Float64Array(layersOfEqual * ranks).fill(1), ranks, pairs);
