import { contiguousMap } from "../../policy/placement/contiguous.ts";
import { eplb } from "../../policy/placement/eplb.ts";
import { lpt } from "../../policy/placement/lpt.ts";
import { noExpert, type Placement } from "../../policy/placement/placement.ts";
import { balance, physicalExpertsOf, rankLoads } from "../../policy/placement/placement-measures.ts";

/** How evenly a placement spreads what the experts of a run computed in all. */
export interface PlacedBalance {
  readonly name: string;
  /** Copies of experts in a layer, on average. */
  readonly copies: number;
  /** [layers] heaviest rank over the mean rank, where copies of an expert share its tokens equally. */
  readonly ratio: Float64Array;
}

/**
 * The placement in use, the contiguous one, and two that are fitted to these very loads with as many places as the one in use
 * has. Those fitted show how even the ranks could have been at best, not what they would be in another run.
 */
export function placedBalances(inUse: Placement, loads: Float64Array): PlacedBalance[] {
  const { layers, experts, ranks } = inUse;
  const places = Math.max(physicalExpertsOf(inUse), Math.ceil(experts / ranks) * ranks);
  const input = { layers, experts, ranks, nodes: 1, groups: 1, physicalExperts: places, loads };
  const balanceOf = (name: string, placement: Placement): PlacedBalance => {
    const of = rankLoads(placement, loads);
    return {
      name,
      copies: placement.logicalExperts.filter((expert) => expert !== noExpert).length / layers,
      ratio: Float64Array.from({ length: layers }, (_, layer) =>
        balance(of.subarray(layer * ranks, (layer + 1) * ranks)),
      ),
    };
  };
  return [
    balanceOf("in use", inUse),
    balanceOf("contiguous", contiguousMap(layers, experts, ranks)),
    balanceOf("lpt", lpt.place(input)),
    ...(places > experts ? [balanceOf("eplb", eplb.place(input))] : []),
  ];
}
