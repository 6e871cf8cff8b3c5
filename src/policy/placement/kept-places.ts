import { noExpert, type Placement } from "./placement.ts";

/**
 * [ranks][places] the copies of a rank, those that it held before at the place that they had. They need not move inside the
 * device.
 */
export function keptPlaces(previous: Placement, layer: number, byRank: readonly (readonly number[])[]): number[][] {
  const { ranks, physicalExpertsPerRank: places, logicalExperts } = previous;
  return byRank.map((held, rank) => {
    const first = (layer * ranks + rank) * places;
    const left = [...held];
    const out = Array.from({ length: places }, (_, place) => {
      const at = left.indexOf(logicalExperts[first + place]!);
      return at < 0 ? noExpert : left.splice(at, 1)[0]!;
    });
    for (let place = 0; place < places && left.length > 0; place++)
      if (out[place] === noExpert) out[place] = left.shift()!;
    return out;
  });
}
