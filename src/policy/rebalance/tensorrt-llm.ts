import { z } from "zod";
import { allLayers, placementKey } from "./keys.ts";
import type { RebalancePolicy } from "./rebalance.ts";

const parameters = {
  policy: placementKey(),
  layerUpdatesPerIter: z
    .int()
    .min(1)
    .max(65536)
    .default(2)
    .describe("Layers that are placed anew in every forward pass (layer_updates_per_iter)."),
};

/**
 * TensorRT-LLM's online balancer (`cpp/tensorrt_llm/runtime/moeLoadBalancer`). Layers take turns, so many in a pass, each placed by
 * the counts since its last turn; where the layers divide evenly over passes, one pass of a round has none. Ranks copy what they
 * lack from the experts in their node's memory, beside the next pass; what is late holds up the pass after that. Its own placement
 * copies by load per copy and packs the heaviest first, as EPLB does with one group. In the engine a layer waits for its own copies
 * when it is reached, here the whole pass does; how it lets old counts fade was not read.
 */
export const tensorrtLlm: RebalancePolicy<typeof parameters> = {
  name: "tensorrt-llm",
  rule: "TensorRT-LLM: a few layers in every forward pass, in turn, copied from host memory beside it",
  parameters,
  plan: ({ policy, layerUpdatesPerIter }) => ({
    placement: policy,
    windowPasses: null,
    layersAtOnce: Number.POSITIVE_INFINITY,
    moves: "withinPass",
    source: "host",
    create: (layers) => {
      const turns = Math.ceil(layers / layerUpdatesPerIter);
      const round = turns + (layers % turns === 0 ? 1 : 0);
      let pass = 0;
      return {
        passed: () => {
          const turn = pass++ % round;
          return turn === turns ? null : allLayers(layers).filter((layer) => layer % turns === turn);
        },
      };
    },
  }),
};
