import { z } from "zod";
import { share } from "../../core/quantity.ts";
import { allLayers, passes, placementKey } from "./keys.ts";
import type { RebalancePolicy } from "./rebalance.ts";

const parameters = {
  policy: placementKey(),
  interval: passes()
    .default(1000)
    .describe("Forward passes from one new map to the next (eplb-rebalance-num-iterations)."),
  layersPerChunk: z
    .int()
    .min(1)
    .max(65536)
    .optional()
    .describe("Layers that move between two forward passes (eplb-rebalance-layers-per-chunk); default all at once."),
  minUtilisation: share()
    .default(1)
    .describe(
      "No new map where ranks were better used than this since the last: mean over heaviest rank " +
        "(eplb-min-rebalancing-utilization-threshold).",
    ),
};

/**
 * SGLang (`python/sglang/srt/eplb/eplb_manager.py`). After `interval` passes, at the end of the next one, the counts since the last
 * map give a new one. Passes wait while weights move: all layers at once, or a chunk of layers after each further pass. Counting
 * begins again when the last chunk has moved. The threshold is held against all passes since the last map; SGLang's own windows
 * are of at most 1,000.
 */
export const sglang: RebalancePolicy<typeof parameters> = {
  name: "sglang",
  rule: "SGLang: a new map every so many forward passes unless ranks are well used, moved at once or in chunks of layers",
  parameters,
  plan: (values) => ({
    placement: values.policy,
    windowPasses: null,
    layersAtOnce: values.layersPerChunk ?? Number.POSITIVE_INFINITY,
    moves: "between",
    source: "ranks",
    create: (layers) => {
      const all = allLayers(layers);
      let counted = -1;
      return {
        passed: ({ moving, utilisation }) => {
          if (moving) return null;
          counted++;
          if (counted < values.interval) return null;
          counted = 0;
          return utilisation > values.minUtilisation ? "skip" : all;
        },
      };
    },
  }),
};
