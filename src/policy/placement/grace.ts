import { z } from "zod";
import { InvalidInputError } from "../../core/errors.ts";
import { defaultsOf } from "../../core/parameters.ts";
import { type GroupSizes, groupByAffinity, shareInside } from "./affinity-groups.ts";
import { LayerCopies, type LayerRanks } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy, PlacementInput } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromCopies } from "./placement-input.ts";

const parameters = {
  looseness: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("How far the experts of a rank may differ from an equal number, as a share of it; default the knee."),
  replicate: z.boolean().default(true).describe("Copy the hot experts of the heaviest group to the lightest ranks."),
};

/** Loosenesses among which the knee is looked for. */
const loosenesses = [0, 0.1, 0.2, 0.3, 0.4, 0.5];

/**
 * GRACE-MoE: experts that a token chooses together share a rank, so that fewer ranks get it; sizes of groups may differ by a
 * share r. The knee of r is where the affinity inside groups, against the deviation of sizes, lies farthest above the line between
 * its ends. The heaviest group is then relieved: n = min(max(1, floor(max/mean)), ranks - 1), and its heaviest experts that
 * together exceed n / (n + 1) of its load get copies on the n lightest ranks, where these have places. With several nodes,
 * experts are grouped onto these first. Groups grow greedily and are improved by exchanges, where the paper clusters spectrally.
 */
export const grace: LivePlacementPolicy<typeof parameters> = {
  name: "grace",
  rule: "GRACE-MoE: experts chosen together on one rank, copies of those of the heaviest rank",
  parameters,
  needs: ["loads", "pairs"],
  makesCopies: true,
  place: (input, { looseness, replicate } = defaultsOf(parameters)) => {
    checkPlacementInput(input);
    if (input.ranks % input.nodes !== 0)
      throw new InvalidInputError([
        { at: "placement.ranks", expected: `a multiple of ${input.nodes} nodes for grace`, found: input.ranks },
      ]);
    const { experts } = input;
    const on = layerRanks(input, false);
    return placementFromCopies(input, (layer) => {
      const pairs =
        input.pairs?.subarray(layer * experts * experts, (layer + 1) * experts * experts) ??
        new Float64Array(experts * experts);
      const rankOf = groupAtKnee(input, pairs, on[layer]!, looseness === undefined ? loosenesses : [looseness]);
      const copies = new LayerCopies(layerLoads(input, layer), on[layer]!);
      for (let expert = 0; expert < experts; expert++) copies.add(expert, rankOf[expert]!);
      if (replicate) copyHot(copies);
      return copies.byRank;
    });
  },
};

/** Groups at the looseness at the knee; at the only one where there is one. */
function groupAtKnee(
  input: PlacementInput,
  pairs: Float64Array,
  on: LayerRanks,
  choices: readonly number[],
): Uint16Array {
  const tried = choices.map((looseness) => {
    const rankOf = groupLayer(input, pairs, on, looseness);
    const sizes = new Float64Array(input.ranks);
    for (const rank of rankOf) sizes[rank]! += 1;
    const mean = input.experts / input.ranks;
    const spread = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) * (size - mean), 0) / input.ranks);
    return { rankOf, inside: shareInside(pairs, rankOf), spread };
  });
  const [first, last] = [tried[0]!, tried.at(-1)!];
  const [rise, run] = [last.inside - first.inside, last.spread - first.spread];
  if (!(rise > 0) || !(run > 0)) return first.rankOf;
  let knee = first;
  let highest = 0;
  for (const point of tried) {
    const above = (point.inside - first.inside) / rise - (point.spread - first.spread) / run;
    if (above <= highest) continue;
    highest = above;
    knee = point;
  }
  return knee.rankOf;
}

/** [experts] rank of each: onto nodes of free sizes first where there are several, then onto the ranks of each. */
function groupLayer(input: PlacementInput, pairs: Float64Array, on: LayerRanks, looseness: number): Uint16Array {
  const { experts, ranks, nodes } = input;
  const perNode = ranks / nodes;
  const slack = Math.floor((experts / ranks) * looseness);
  const rankSizes = sizesWithin(on.rooms, experts, slack);
  if (nodes === 1) return groupByAffinity(pairs, rankSizes);
  const sumOf = (values: ArrayLike<number>, node: number) =>
    Array.from(values)
      .slice(node * perNode, (node + 1) * perNode)
      .reduce((sum, value) => sum + value, 0);
  const each = (values: ArrayLike<number>) => Array.from({ length: nodes }, (_, node) => sumOf(values, node));
  const nodeOf = groupByAffinity(pairs, { least: each(rankSizes.least), most: each(rankSizes.most) });
  const rankOf = new Uint16Array(experts);
  for (let node = 0; node < nodes; node++) {
    const members = Array.from({ length: experts }, (_, expert) => expert).filter((expert) => nodeOf[expert] === node);
    const inside = Float64Array.from(
      { length: members.length * members.length },
      (_, at) => pairs[members[Math.floor(at / members.length)]! * experts + members[at % members.length]!]!,
    );
    const part = (values: ArrayLike<number>) => Array.from(values).slice(node * perNode, (node + 1) * perNode);
    const groupOf = groupByAffinity(inside, { least: part(rankSizes.least), most: part(rankSizes.most) });
    for (const [at, expert] of members.entries()) rankOf[expert] = node * perNode + groupOf[at]!;
  }
  return rankOf;
}

/** Sizes that differ from an equal number by so many, within the rooms, and in sum leave a place for every expert. */
function sizesWithin(rooms: ArrayLike<number>, experts: number, slack: number): GroupSizes {
  const ranks = rooms.length;
  const most = Array.from(rooms, (room) => Math.min(room, Math.ceil(experts / ranks) + slack));
  // Ranks with little room leave more to the others.
  for (let short = experts - most.reduce((sum, of) => sum + of, 0); short > 0; )
    for (let rank = 0; rank < ranks && short > 0; rank++)
      if (most[rank]! < rooms[rank]!) {
        most[rank]! += 1;
        short -= 1;
      }
  const least = most.map((of) => Math.max(0, Math.min(of, Math.floor(experts / ranks) - slack)));
  return { least, most };
}

/** Copies the hot experts of the heaviest group to the lightest ranks that have a place. */
function copyHot(copies: LayerCopies): void {
  const busy = copies.busy();
  const order = Array.from(busy.keys()).sort((a, b) => busy[a]! - busy[b]! || a - b);
  const heaviest = order.at(-1)!;
  const mean = busy.reduce((sum, of) => sum + of, 0) / busy.length;
  if (mean === 0 || copies.ranks < 2) return;
  const n = Math.min(Math.max(1, Math.floor(busy[heaviest]! / mean)), copies.ranks - 1);
  const group = [...copies.byRank[heaviest]!].sort((a, b) => copies.loads[b]! - copies.loads[a]! || a - b);
  const whole = group.reduce((sum, expert) => sum + copies.loads[expert]!, 0);
  let taken = 0;
  const hot: number[] = [];
  for (const expert of group) {
    if (taken > (whole * n) / (n + 1)) break;
    taken += copies.loads[expert]!;
    hot.push(expert);
  }
  for (const expert of hot)
    for (const rank of order.slice(0, n)) if (copies.fits(expert, rank)) copies.add(expert, rank);
}
