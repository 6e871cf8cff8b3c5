import { z } from "zod";
import { RandomStream } from "../../core/random.ts";
import type { DispatchPolicy, DispatchSite } from "./dispatch.ts";
import { devicesOfStage, nearness } from "./nearness.ts";
import { perExpert } from "./per-expert.ts";
import { shareEvenly } from "./round-robin.ts";

const parameters = {
  seed: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(42)
    .describe("Of the draw for devices far from all copies."),
};

/**
 * Every device has one copy of each expert for good: the one that it holds, else the first on its node, else one from a draw that
 * gives all copies as many such devices (SGLang `static`, expert_location.py). SGLang draws with Python's generator, so single devices
 * may have another copy there. The tensor-parallel devices of a data-parallel rank send equal parts of its tokens.
 */
export const staticNearestDispatch: DispatchPolicy<typeof parameters> = {
  name: "static-nearest",
  rule: "each device has a copy of its own for good: on the same device, else on the same node, else drawn (SGLang static)",
  parameters,
  needs: ["sources"],
  create: (site, { seed }) => {
    const { copies, experts, topology } = site;
    const { sources, devicesPerSource } = topology;
    const devices = devicesOfStage(topology);
    const chosen = chosenCopies(site, seed);
    const ofDevice = new Float64Array(devicesPerSource);
    const dispatcher = perExpert(
      copies,
      experts,
      (expert, first, _count, _tokens, shares, { bySource, from }, layer) => {
        const at = (layer * experts + expert) * devices;
        for (let source = 0; source < sources; source++) {
          const tokens = bySource[source]![from + expert]!;
          if (tokens === 0) continue;
          ofDevice.fill(0);
          shareEvenly(tokens, 0, devicesPerSource, expert, ofDevice);
          for (let i = 0; i < devicesPerSource; i++)
            shares[first + chosen[at + source * devicesPerSource + i]!]! += ofDevice[i]!;
        }
      },
    );
    return { ...dispatcher, copyOf: (layer, expert, device) => chosen[(layer * experts + expert) * devices + device]! };
  },
};

/** [layers x experts][devices] place of each device's copy among those of the expert. */
function chosenCopies({ layers, experts, copies, topology }: DispatchSite, seed: number): Uint16Array {
  const devices = devicesOfStage(topology);
  const chosen = new Uint16Array(layers * experts * devices);
  const stream = new RandomStream(seed, "dispatch");
  for (let entry = 0; entry < layers * experts; entry++) {
    const ranks = copies.ranks.subarray(copies.starts[entry]!, copies.starts[entry + 1]!);
    if (ranks.length === 1) continue;
    const far: number[] = [];
    for (let device = 0; device < devices; device++) {
      let best = -1;
      let least = 2;
      for (const [copy, rank] of ranks.entries()) {
        const distance = nearness(device, rank, topology);
        if (distance < least) {
          best = copy;
          least = distance;
        }
      }
      if (best < 0) far.push(device);
      else chosen[entry * devices + device] = best;
    }
    const draw = fairDraw(ranks.length, far.length, stream);
    for (const [i, device] of far.entries()) chosen[entry * devices + device] = draw[i]!;
  }
  return chosen;
}

/** `count` of `choices`, each as often as every other or once more, in random order. */
function fairDraw(choices: number, count: number, stream: RandomStream): number[] {
  const whole = Math.floor(count / choices) * choices;
  const rest = stream.shuffle(Array.from({ length: choices }, (_, choice) => choice)).slice(0, count - whole);
  return stream.shuffle([...Array.from({ length: whole }, (_, i) => i % choices), ...rest]);
}
