import { rankLoadsOf } from "../placement/placement-measures.ts";
import type { DispatchPolicy, DispatchSite } from "./dispatch.ts";
import { devicesOfStage, nearness } from "./nearness.ts";
import { perExpert } from "./per-expert.ts";
import { shareEvenly } from "./round-robin.ts";

/** Its multiples lie evenly between whole numbers. */
const goldenRatio = 0.6180339887498949;

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
            const phase = ((device + expert) * goldenRatio) % 1;
            shareByWeight(ofDevice[i]!, phase, weights, starts[entry]! + device * count, count, shares, first);
          }
        }
      },
    );
    return {
      ...dispatcher,
      copyOf: (layer, expert, device, turn) => {
        const entry = layer * experts + expert;
        const count = copies.starts[entry + 1]! - copies.starts[entry]!;
        const at = starts[entry]! + device * count;
        let left = (turn * goldenRatio) % 1;
        let last = 0;
        for (let copy = 0; copy < count; copy++) {
          const weight = weights[at + copy]!;
          if (weight === 0) continue;
          if (left < weight) return copy;
          left -= weight;
          last = copy;
        }
        return last;
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

/**
 * Adds whole tokens by weights that add up to 1: as weighted round robin gives them, a copy has those up to its share of the running
 * sum. `phase` in [0, 1) says where in a round it begins, so that single tokens do not all go to the first copies.
 */
function shareByWeight(
  tokens: number,
  phase: number,
  weights: Float64Array,
  at: number,
  count: number,
  shares: Float64Array,
  first: number,
): void {
  let given = 0;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) if (weights[at + i]! > 0) last = i;
  for (let i = 0; i <= last; i++) {
    sum += weights[at + i]!;
    const upTo = i === last ? tokens : Math.min(tokens, Math.floor(tokens * sum + phase));
    shares[first + i]! += upTo - given;
    given = upTo;
  }
}
