import { rankLoadsOf } from "../placement/placement-measures.ts";
import { phaseOf, placeByWeight, shareByWeight } from "./by-weight.ts";
import type { DispatchPolicy, DispatchSite } from "./dispatch.ts";
import { devicesOfStage, nearness } from "./nearness.ts";
import { perExpert } from "./per-expert.ts";
import { shareEvenly } from "./round-robin.ts";

/**
 * Tokens go to the nearest copies (same device, else same node, else any), among equally near ones in weighted round robin: the
 * lighter the predicted load of a copy's rank, the more (GRACE-MoE). The prediction is the load of the fitting set with even shares.
 * GRACE predicts it for its own replication, one heaviest group copied n times; here it is that of any placement.
 */
export const weightedDispatch: DispatchPolicy = {
  name: "weighted",
  rule: "tokens go to the nearest copies, among equally near ones the more the lighter their ranks are predicted to be (GRACE-MoE)",
  parameters: {},
  needs: ["sources", "loads"],
  create: (site) => {
    const { copies, experts, topology } = site;
    const { sources, devicesPerSource } = topology;
    const ofDevice = new Float64Array(devicesPerSource);
    const { starts, weights } = weightsByDevice(site);
    const dispatcher = perExpert(
      copies,
      experts,
      (expert, first, count, _tokens, shares, { bySource, from }, layer) => {
        const entry = layer * experts + expert;
        for (let source = 0; source < sources; source++) {
          const tokens = bySource[source]![from + expert]!;
          if (tokens === 0) continue;
          ofDevice.fill(0);
          shareEvenly(tokens, 0, devicesPerSource, expert, ofDevice);
          for (let i = 0; i < devicesPerSource; i++) {
            const device = source * devicesPerSource + i;
            shareByWeight(
              ofDevice[i]!,
              phaseOf(device + expert),
              weights,
              starts[entry]! + device * count,
              count,
              shares,
              first,
            );
          }
        }
      },
    );
    return {
      ...dispatcher,
      copyOf: (layer, expert, device, turn) => {
        const entry = layer * experts + expert;
        const count = copies.starts[entry + 1]! - copies.starts[entry]!;
        return placeByWeight(turn, weights, starts[entry]! + device * count, count);
      },
    };
  },
};

/** Per expert with several copies and device: the weight of each copy, 0 of those that are not the nearest; they add up to 1. */
function weightsByDevice({ layers, experts, ranks, copies, topology, loads }: DispatchSite) {
  const devices = devicesOfStage(topology);
  const loadOf = rankLoadsOf(copies, { layers, experts, ranks }, loads!);
  const starts = new Uint32Array(layers * experts);
  const weights: number[] = [];
  for (let entry = 0; entry < layers * experts; entry++) {
    starts[entry] = weights.length;
    const held = copies.ranks.subarray(copies.starts[entry]!, copies.starts[entry + 1]!);
    if (held.length === 1) continue;
    const layer = Math.floor(entry / experts);
    // A rank without any load in the fitting set still has a weight: that of one token.
    const weight = Float64Array.from(held, (rank) => 1 / Math.max(1, loadOf[layer * ranks + rank]!));
    for (let device = 0; device < devices; device++) {
      const distances = Array.from(held, (rank) => nearness(device, rank, topology));
      const nearest = Math.min(...distances);
      const sum = weight.reduce((total, w, copy) => total + (distances[copy] === nearest ? w : 0), 0);
      for (const [copy, w] of weight.entries()) weights.push(distances[copy] === nearest ? w / sum : 0);
    }
  }
  return { starts, weights: Float64Array.from(weights) };
}
