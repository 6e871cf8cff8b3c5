import { z } from "zod";
import { count, filePath, quantity, word } from "./quantity.ts";

const replay = {
  start: z
    .enum(["zero", "random"])
    .optional()
    .describe(
      "Where a request starts to read: the first row of a sequence, requests taking sequences in turn (zero), or a row " +
        "drawn at random; default random when the requests have more tokens than the trace, else zero.",
    ),
  layerMap: z
    .union([z.enum(["identity", "nearest", "repeat"]), z.array(count(0, 4096)).min(1)], {
      error: "identity, nearest, repeat, or a list with one trace layer for each MoE layer",
    })
    .default("identity")
    .describe(
      "Trace layer each MoE layer of the model replays: the same one (the trace must hold as many), the nearest by " +
        "relative depth, the trace's layers over and over, or a list.",
    ),
  domain: word().optional().describe("Replay rows of this domain of the trace only."),
};

const rows = count(100, 10_000_000).describe("Rows (tokens) to synthesise.");

/** Which experts each token visits in each layer. */
export const routingSection = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("trace"),
      file: filePath().describe("A routing trace in moecast's container (see `moecast trace import`)."),
      memory: quantity("bytes").optional().describe("Memory the trace may take; a larger one is read in part."),
      ...replay,
    })
    .describe("Replay a recorded trace."),
  z
    .strictObject({
      kind: z.literal("published"),
      id: word().describe("Named set of published statistics, such as qwen3-30b-a3b."),
      rows: rows.default(20_000),
      ...replay,
    })
    .describe("Replay routing synthesised from published statistics of a named model."),
  z
    .strictObject({
      kind: z.literal("parametric"),
      skew: z.number().min(0).max(4).default(0.5).describe("Zipf exponent of expert popularity; 0 is uniform."),
      reuse: z.number().min(0).max(1).default(0).describe("Chance that an expert of the previous token is used again."),
      grouped: z.boolean().default(false).describe("Choose equally many experts in each group of the router."),
      rows: rows.default(20_000),
      start: replay.start,
    })
    .describe("Replay routing synthesised from a popularity skew and a reuse."),
  z
    .strictObject({
      kind: z.literal("uniform"),
      popularityCv: z
        .number()
        .min(0)
        .max(4)
        .default(0)
        .describe("Coefficient of variation of expert popularity; 0 is uniform, recorded routing has 0.3 to 1.3."),
    })
    .describe("No replay: loads expected of independent choices, the cheapest model."),
]);
