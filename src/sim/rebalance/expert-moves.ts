import { noExpert } from "../../policy/placement/placement.ts";

/** An expert that a rank lacks under a new map, and the rank that it gets it from. */
export interface ExpertMove {
  readonly expert: number;
  readonly from: number;
  readonly to: number;
}

/**
 * What ranks have to receive when a layer changes from one map to another. Each comes from a rank that holds it, in the same node
 * where there is one; of several, from the one that sends least so far, the first of equals. Copies that a rank has under both
 * maps stay, and a second copy on a rank comes from the first.
 * @param before [ranks][slots] logical expert of each slot of the layer
 * @param after the same under the new map
 * @param nodeOf [ranks] node of each rank
 * @param sent [ranks] what each sends so far, of other layers too; counted on
 */
export function expertMoves(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  nodeOf: readonly number[],
  sent = new Uint32Array(nodeOf.length),
): ExpertMove[] {
  const ranks = nodeOf.length;
  const holders = new Map<number, number[]>();
  const held = new Set<number>();
  const key = (expert: number, rank: number) => expert * ranks + rank;
  for (let slot = 0; slot < before.length; slot++) {
    const expert = before[slot]!;
    const rank = Math.floor((slot * ranks) / before.length);
    if (expert === noExpert || held.has(key(expert, rank))) continue;
    held.add(key(expert, rank));
    const of = holders.get(expert);
    if (of === undefined) holders.set(expert, [rank]);
    else of.push(rank);
  }
  const moves: ExpertMove[] = [];
  for (let slot = 0; slot < after.length; slot++) {
    const expert = after[slot]!;
    const to = Math.floor((slot * ranks) / after.length);
    if (expert === noExpert || held.has(key(expert, to))) continue;
    held.add(key(expert, to));
    const all = holders.get(expert)!;
    const near = all.filter((rank) => nodeOf[rank] === nodeOf[to]);
    const from = (near.length > 0 ? near : all).reduce((best, rank) => (sent[rank]! < sent[best]! ? rank : best));
    sent[from]! += 1;
    moves.push({ expert, from, to });
  }
  return moves;
}
