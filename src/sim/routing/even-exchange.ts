import { expertsOfRank } from "../../models/contiguous-ranks.ts";
import { missedShare } from "../../models/ranks-per-token.ts";
import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import { TokenPlaces } from "./token-places.ts";

/** Copies of a token that DeepEP's normal mode sends inside and between nodes, by choices per token, 0 to `topK`. */
export interface EvenExchange {
  readonly near: Float64Array;
  readonly far: Float64Array;
}

/**
 * Copies of one token of every data-parallel rank, in the mean over all placements with as many experts on each rank. There the
 * experts of a token lie anywhere, whichever they are: it is also the mean of evenly picked experts under any of these placements.
 * No expert has a part in it by its number.
 */
export function evenExchange(experts: number, ranks: number, topK: number, topology: DispatchTopology): EvenExchange {
  const places = new TokenPlaces(topology, ranks);
  places.place(new Float64Array(topology.sources).fill(1));
  const { onNode, handedOn, total } = places;
  const onRank = Float64Array.from({ length: ranks }, (_, rank) => expertsOfRank(rank, experts, ranks));
  const ofNode = new Float64Array(onNode.length);
  for (const [rank, held] of onRank.entries())
    for (let node = places.firstNode(rank); node <= places.lastNode(rank); node++) ofNode[node]! += held;
  const near = new Float64Array(topK + 1);
  const far = new Float64Array(topK + 1);
  for (let choices = 1; choices <= topK; choices++) {
    for (const [rank, held] of onRank.entries())
      near[choices]! += handedOn[rank]! * (1 - missedShare(experts, held, choices));
    for (const [node, held] of ofNode.entries())
      far[choices]! += (total - onNode[node]!) * (1 - missedShare(experts, held, choices));
  }
  return { near, far };
}
