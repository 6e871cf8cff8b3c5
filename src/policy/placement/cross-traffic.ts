import type { PlacementInput } from "./placement.ts";

/** [ranks][ranks] relative time to send a token from one rank to another; 1 between any two where nothing else is said. */
export const distanceOf = ({ distance, ranks }: PlacementInput): Float64Array =>
  distance ?? Float64Array.from({ length: ranks * ranks }, (_, at) => (Math.floor(at / ranks) === at % ranks ? 0 : 1));

/** Choices of consecutive layers times the distance of their ranks, for experts of one copy: `rankOf` is [layers][experts]. */
export function crossTraffic(input: PlacementInput, rankOf: ArrayLike<number>): number {
  const { layers, experts, ranks, transitions = new Float64Array() } = input;
  const distance = distanceOf(input);
  let sum = 0;
  for (let layer = 0; layer + 1 < layers; layer++)
    for (let from = 0; from < experts; from++) {
      const row = rankOf[layer * experts + from]! * ranks;
      const base = (layer * experts + from) * experts;
      for (let to = 0; to < experts; to++)
        sum += transitions[base + to]! * distance[row + rankOf[(layer + 1) * experts + to]!]!;
    }
  return sum;
}

/**
 * No placement of one copy each has less cross traffic: of what an expert sends, at most what goes to as many experts as a rank
 * holds stays there, and the same of what it gets.
 * @param rooms [layers][ranks] most experts of each rank
 */
export function crossTrafficBound(input: PlacementInput, rooms: ArrayLike<number>): number {
  const { layers, experts, ranks, transitions = new Float64Array() } = input;
  const apart = distanceOf(input).filter((_, at) => Math.floor(at / ranks) !== at % ranks);
  const nearest = apart.reduce((least, of) => Math.min(least, of), Infinity);
  if (ranks === 1) return 0;
  let bound = 0;
  for (let layer = 0; layer + 1 < layers; layer++) {
    const most = (of: number) => {
      let room = 0;
      for (let rank = 0; rank < ranks; rank++) room = Math.max(room, rooms[of * ranks + rank]!);
      return room;
    };
    const base = layer * experts * experts;
    const rows = leaving(transitions, base, experts, experts, 1, most(layer + 1));
    const columns = leaving(transitions, base, experts, 1, experts, most(layer));
    bound += Math.max(rows, columns) * nearest;
  }
  return bound;
}

/** Sum over lines of a matrix of all but their `kept` largest entries. */
function leaving(counts: Float64Array, base: number, size: number, line: number, step: number, kept: number): number {
  let sum = 0;
  const values = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    for (let i = 0; i < size; i++) values[i] = counts[base + at * line + i * step]!;
    values.sort();
    for (let i = 0; i < size - kept; i++) sum += values[i]!;
  }
  return sum;
}
