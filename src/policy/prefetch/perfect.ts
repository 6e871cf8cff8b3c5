import type { PrefetchPolicy } from "./prefetcher.ts";

/** Knows what later layers of the step will ask for: the bound of all that look as far ahead. */
export const perfect: PrefetchPolicy = {
  name: "perfect",
  rule: "Knows every expert of the layers ahead: a bound, not a predictor.",
  needs: [],
  emulated: true,
  parameters: {},
  latencyNs: () => 0,
  prepare:
    ({ layers, experts, distance }) =>
    () => {
      const keys = new Uint32Array(experts);
      return {
        stepStarts: () => {},
        layerChosen: (step, layer, _keys, _count, out) => {
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++) {
            const count = step.choices(ahead, keys);
            for (let i = 0; i < count; i++) out.add(keys[i]!);
          }
        },
      };
    },
};
