import { z } from "zod";
import { allLayers, passes, placementKey } from "./keys.ts";
import type { RebalancePolicy } from "./rebalance.ts";

const parameters = {
  policy: placementKey(),
  window: passes().default(1000).describe("Forward passes whose loads count (window_size)."),
  interval: passes().default(3000).describe("Forward passes from one new map to the next (step_interval)."),
  async: z
    .boolean()
    .default(true)
    .describe("Whether experts move beside forward passes, layer by layer (use_async; the default since vLLM 0.24)."),
};

/**
 * vLLM (`vllm/distributed/eplb`). Loads of the last `window` passes give a new map every `interval` passes. The counter starts at
 * three quarters, so that the first map comes after one quarter. Synchronous, passes wait until all layers have moved, one after
 * the other. Asynchronous, the layers move one by one through a buffer of one layer, each in use from the pass after its arrival,
 * and no new map is asked for until all have. Dummy passes of idle ranks are left out: a pass here has work.
 */
export const vllm: RebalancePolicy<typeof parameters> = {
  name: "vllm",
  rule: "vLLM: a new map every so many forward passes from the loads of a window, moved at once or layer by layer",
  parameters,
  plan: (values) => ({
    placement: values.policy,
    windowPasses: values.window,
    layersAtOnce: values.async ? 1 : Number.POSITIVE_INFINITY,
    moves: values.async ? "beside" : "between",
    source: "ranks",
    create: (layers) => {
      const { interval } = values;
      const all = allLayers(layers);
      let counted = interval - Math.floor(interval / 4);
      return {
        passed: ({ moving }) => {
          counted++;
          if (counted < interval || moving) return null;
          counted = 0;
          return all;
        },
      };
    },
  }),
};
