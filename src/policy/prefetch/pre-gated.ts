import type { PrefetchPolicy } from "./prefetcher.ts";

/**
 * Pre-gated MoE (Hwang et al., ISCA 2024, arXiv 2308.12066): the model is retrained so that the gate of a block chooses the experts of
 * the next one. What comes next is then known for certain, one layer ahead. Emulated: the routing that is replayed was recorded from
 * a model with ordinary gates, and a retrained one would choose differently. The first block has a gate of its own and is not
 * guessed. The paper's caches and its copy of whole layers are those of the run.
 */
export const preGated: PrefetchPolicy = {
  name: "pre-gated",
  rule: "Knows the experts of the next layer, as a model retrained for it does: the gate of a layer chooses for the next.",
  needs: [],
  emulated: true,
  parameters: {},
  // The gate is the model's own, and its time that of the layer.
  latencyNs: () => 0,
  prepare:
    ({ layers, experts }) =>
    () => {
      const keys = new Uint32Array(experts);
      return {
        stepStarts: () => {},
        layerChosen: (step, layer, _keys, _count, out) => {
          if (layer + 1 >= layers) return;
          const count = step.choices(layer + 1, keys);
          for (let i = 0; i < count; i++) out.add(keys[i]!);
        },
      };
    },
};
