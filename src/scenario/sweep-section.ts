import { z } from "zod";
import { count } from "./quantity.ts";

/** A path into the scenario, as `--set` takes it. */
const path = z
  .string()
  .regex(/^[^=]{1,1000}$/, { error: "a path into the scenario such as policy.offload.slots" })
  .describe("A path into the scenario, as --set takes it.");

const end = z.union([z.number(), z.string()], { error: "a number, or a quantity such as 8/s" });

const range = z.strictObject({
  from: end.describe("Smallest value: a number, or a quantity with the unit that `to` has."),
  to: end.describe("Largest value. Where both ends are whole numbers, so is every value."),
  scale: z.enum(["linear", "log"]).default("linear").describe("Whether values are spread evenly by size or by ratio."),
});

/** Configurations that `moecast sweep` runs: every case with every combination of the matrix with every sampled point. */
export const sweepSection = z.strictObject({
  cases: z
    .array(z.record(path, z.unknown()))
    .min(1)
    .max(100_000)
    .optional()
    .describe("Settings that belong together, as {path: value}; each is a configuration."),
  matrix: z
    .record(path, z.array(z.unknown()).min(1).max(100_000))
    .optional()
    .describe("Values by path; every combination is a configuration."),
  sample: z
    .strictObject({
      points: count(1, 1_000_000).describe("Configurations to draw."),
      seed: z.int().min(0).max(4_294_967_295).default(1).describe("Seed of the drawing."),
      ranges: z
        .record(path, range)
        .refine((ranges) => Object.keys(ranges).length > 0, { error: "a path with its range" })
        .describe("Ranges by path."),
    })
    .optional()
    .describe("A Latin hypercube: each range is cut into as many parts as there are points, each with one of them."),
});

export type SweepSection = z.output<typeof sweepSection>;
