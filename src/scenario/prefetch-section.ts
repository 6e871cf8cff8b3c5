import { z } from "zod";
import { quantity } from "../core/quantity.ts";
import { type PrefetcherName, prefetchers } from "../policy/prefetch/prefetchers.ts";
import { kindsOf } from "./kinds.ts";
import { count, filePath, word } from "./quantity.ts";

/** Rows that a predictor learns from. */
const trainingSection = z
  .strictObject({
    file: filePath().optional().describe("Another routing trace to learn from."),
    domain: word().optional().describe("Domain to learn from: of that trace, or of the one that is replayed."),
    share: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe("Share of the rows to learn from, in whole sequences of each domain; only the others are replayed."),
  })
  .superRefine(({ file, domain, share }, context) => {
    if (share !== undefined && (file !== undefined || domain !== undefined))
      context.addIssue({ code: "custom", path: ["share"], message: "either share, or a file or domain of its own" });
    if (share === undefined && file === undefined && domain === undefined)
      context.addIssue({ code: "custom", message: "file, domain or share" });
  })
  .optional()
  .describe("What a predictor learns from: rows that are not replayed.");

/** Keys of a prefetcher, whatever it goes by. */
const prefetchKeys = {
  distance: count(1, 1000).default(1).describe("Layers ahead that are guessed."),
  budget: count(1, 1e6)
    .optional()
    .describe(
      "Experts that are sent ahead for a layer in a step, those of a device; default as many as a token chooses.",
    ),
  chunks: count(1, 1000)
    .default(1)
    .describe(
      "Pieces that an expert is sent in; a missing expert waits for one at most. Each has the latency of a transfer.",
    ),
  latency: quantity("duration", "zero")
    .optional()
    .describe(
      "From the choice of a layer until the guesses are known; default a published time of the predictor, or 0.",
    ),
  preempt: z
    .boolean()
    .default(false)
    .describe("Whether wrong guesses that are not sent in full are given up when their layer has chosen."),
  fit: trainingSection,
};

/** Experts that are sent to the devices before their layers ask for them. */
export const prefetchSection = kindsOf(prefetchers, Object.keys(prefetchers) as PrefetcherName[], prefetchKeys)
  .optional()
  .describe("Sends experts to the devices before their layers ask for them. Default none: on demand alone.");
