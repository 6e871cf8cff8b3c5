import { partitionBound } from "../../solver/partition/partition-bound.ts";
import { type PartitionProblem, partitionObjective } from "../../solver/partition/partition-problem.ts";
import type { PlacementInput } from "./placement.ts";

/** [ranks][ranks] relative time to send a token from one rank to another; 1 between any two where nothing else is said. */
export const distanceOf = ({ distance, ranks }: PlacementInput): Float64Array =>
  distance ?? Float64Array.from({ length: ranks * ranks }, (_, at) => (Math.floor(at / ranks) === at % ranks ? 0 : 1));

/** Experts of one copy onto ranks with little traffic between them. `rooms` is [layers][ranks] experts of each rank. */
export const partitionProblem = (input: PlacementInput, rooms: Uint16Array): PartitionProblem => ({
  layers: input.layers,
  items: input.experts,
  parts: input.ranks,
  traffic: input.transitions ?? new Float64Array(),
  distance: distanceOf(input),
  sizes: rooms,
});

/** Choices of consecutive layers times the distance of their ranks, for experts of one copy: `rankOf` is [layers][experts]. */
export const crossTraffic = (input: PlacementInput, rankOf: ArrayLike<number>): number =>
  partitionObjective(partitionProblem(input, new Uint16Array()), rankOf);

/**
 * No placement of one copy each has less cross traffic.
 * @param rooms [layers][ranks] most experts of each rank
 */
export const crossTrafficBound = (input: PlacementInput, rooms: Uint16Array): number =>
  partitionBound(partitionProblem(input, rooms));
