import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { word } from "./quantity.ts";

/** Whole models as what is cached: pools whose models take turns on the same devices. */
export const modelCacheSection = z.strictObject({
  memory: quantity("bytes")
    .optional()
    .describe(
      "Of each device, for weights, buffers and KV caches of the models that are there at one time; default the engine's share, the smallest one of all pools.",
    ),
  kvMemory: quantity("bytes").describe("Of each device, what every model has for its KV cache while it is there."),
  loadOverhead: quantity("duration", "zero")
    .default(0)
    .describe(
      "Added to every load: starting a process, capturing graphs. Take it from a log of your own; default 0s, the transfer alone.",
    ),
  keep: z.array(word()).max(64).default([]).describe("Pools whose models are there from the start and never leave."),
});
