import { z } from "zod";
import { count } from "./quantity.ts";

/** Experts by layer of the model, in a scenario or in a JSON file of the same form. */
export const expertsByLayer = z
  .array(
    z.strictObject({
      layer: count(0, 65535).describe("Layer of the model, numbered from 0 with those that have no experts."),
      experts: z.array(count(0, 65535)).min(1).describe("Experts of that layer."),
    }),
  )
  .min(1);
