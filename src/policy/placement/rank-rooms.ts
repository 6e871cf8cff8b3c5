import { InfeasibleError } from "../../core/errors.ts";
import type { PlacementInput } from "./placement.ts";

/**
 * [layers][ranks] copies that each rank may hold in each layer: as they are given, or its places, its limit per layer, and its limit over all
 * layers, spread evenly over these. The remainders of the ranks are dealt out one layer after the other, so that the layers
 * differ by one place in all.
 * @throws InfeasibleError where the copies allowed do not hold every expert
 */
export function rankRooms(input: PlacementInput): Uint16Array {
  const { layers, experts, ranks, physicalExperts, rankCopiesMax, rankCopiesTotal } = input;
  if (input.rooms !== undefined) return input.rooms;
  const places = physicalExperts / ranks;
  const rooms = new Uint16Array(layers * ranks);
  let dealt = 0;
  let total = 0;
  for (let rank = 0; rank < ranks; rank++) {
    const most = Math.min(places, rankCopiesMax?.[rank] ?? places);
    const all = Math.min(most * layers, rankCopiesTotal?.[rank] ?? most * layers);
    const each = Math.floor(all / layers);
    for (let layer = 0; layer < layers; layer++) rooms[layer * ranks + rank] = each;
    for (let further = all - each * layers; further > 0; further--) rooms[(dealt++ % layers) * ranks + rank]! += 1;
    total += all;
  }
  if (total < layers * experts)
    throw new InfeasibleError(
      `the ranks may hold ${total} expert copies over ${layers} layers (${listed(input, rooms)}), but the model has ` +
        `${layers} x ${experts} = ${layers * experts} experts`,
    );
  return rooms;
}

/** Copies that each rank may hold, in words. */
function listed({ layers, ranks }: PlacementInput, rooms: Uint16Array): string {
  const sums = new Array<number>(ranks).fill(0);
  for (let at = 0; at < layers * ranks; at++) sums[at % ranks]! += rooms[at]!;
  if (sums.every((sum) => sum === sums[0])) return `${sums[0]} on each of ${ranks}`;
  return sums.length > 8 ? `${Math.min(...sums)} to ${Math.max(...sums)} on ${ranks} ranks` : sums.join(" + ");
}

/** Whether all ranks are alike and may hold copies of one expert: the case that published algorithms are stated for. */
export const areAlike = ({ rankCopiesMax, rankCopiesTotal, rooms, rankSpeed, twins }: PlacementInput): boolean =>
  twins !== false &&
  rankCopiesTotal === undefined &&
  rooms === undefined &&
  [rankCopiesMax, rankSpeed].every((of) => of === undefined || of.every((value) => value === of[0]));

/** [ranks] so many experts on each rank, as evenly as the rooms allow; the first ranks take one more each of a remainder. */
export function evenCounts(rooms: ArrayLike<number>, experts: number): Uint16Array {
  const counts = new Uint16Array(rooms.length);
  let left = experts;
  for (let level = 1; left > 0; level++) {
    if (level > experts) throw new InfeasibleError(`${experts} experts, and room for ${experts - left} of them`);
    for (let rank = 0; rank < rooms.length && left > 0; rank++) {
      if (rooms[rank]! < level) continue;
      counts[rank] = level;
      left -= 1;
    }
  }
  return counts;
}

/** [experts] rank of each expert where they are dealt out in this order, full ranks being passed over. */
export function dealOut(order: ArrayLike<number>, rooms: ArrayLike<number>): Uint16Array {
  const rankOf = new Uint16Array(order.length);
  const used = new Uint16Array(rooms.length);
  let rank = 0;
  for (let at = 0; at < order.length; at++) {
    while (used[rank]! >= rooms[rank]!) rank = (rank + 1) % rooms.length;
    rankOf[order[at]!] = rank;
    used[rank]! += 1;
    rank = (rank + 1) % rooms.length;
  }
  return rankOf;
}

/** [experts] rank of each expert where the ranks take so many in id order. */
export function inOrder(counts: ArrayLike<number>, experts: number): Uint16Array {
  const rankOf = new Uint16Array(experts);
  for (let rank = 0, first = 0; rank < counts.length; rank++) {
    rankOf.fill(rank, first, first + counts[rank]!);
    first += counts[rank]!;
  }
  return rankOf;
}
