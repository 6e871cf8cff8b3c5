import { z } from "zod";
import { quantity } from "../core/quantity.ts";

/** Statistics from the very first request on, of replicas that are not ready when it arrives. */
export const coldStartSection = z.strictObject({
  readyAfter: quantity("duration", "zero")
    .default(0)
    .describe(
      "From the first arrival until replicas serve: loading weights, capturing graphs. Take it from a log of your own; default 0s.",
    ),
});
