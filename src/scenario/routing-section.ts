import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type TransformName, transforms } from "../trace/transform/transforms.ts";
import { kindsOf } from "./kinds.ts";
import { count, filePath, word } from "./quantity.ts";

const transform = kindsOf(transforms, Object.keys(transforms) as TransformName[], {}).meta({
  id: "routingTransform",
  title: "Routing transform",
});

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
  transforms: z
    .array(transform)
    .max(64)
    .default([])
    .describe("Changes of the recorded choices, one after the other, before they are replayed."),
};

const popularityCv = z
  .number()
  .min(0)
  .max(4)
  .optional()
  .describe(
    "Coefficient of variation of expert popularity; 0 is uniform, recorded routing has 0.2 to 1.1. Default: that of the " +
      "model's family.",
  );

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
      skew: z
        .number()
        .min(0)
        .max(4)
        .optional()
        .describe("Zipf exponent of expert popularity; 0 is uniform. Default: the popularityCv of the model's family."),
      popularityCv,
      reuse: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          "Share of a token's experts that the next token uses too; up to topK / experts tokens are independent. " +
            "Default: that of the model's family.",
        ),
      laterReuse: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          "The same 64 tokens on, at most the reuse: what the topic of a sequence keeps in use. Default: as much of the " +
            "reuse beyond popularity as lasts in the model's family.",
        ),
      grouped: z
        .boolean()
        .optional()
        .describe(
          "Choose equally many experts in each group of the router; false: regardless of its groups. Default: as the router does.",
        ),
      rows: rows.default(20_000),
      start: replay.start,
      transforms: replay.transforms,
    })
    .describe("Replay routing synthesised from popularity and reuse; what is left out is that of the model's family."),
  z
    .strictObject({
      kind: z.literal("uniform"),
      popularityCv,
    })
    .describe("No replay: loads expected of independent choices, the cheapest model."),
]);
