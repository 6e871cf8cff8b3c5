import { z } from "zod";
import { acceptanceCurveNames } from "../models/acceptance-curves.ts";
import { count, word } from "./quantity.ts";

const probability = () => z.number().min(0).max(1);

/** Draft tokens that a decode brings along to be verified. */
export const speculativeSection = z.strictObject({
  method: z
    .enum(["mtp", "eagle", "ngram"])
    .describe(
      "Where drafts come from: the model's own multi-token prediction layers (mtp), a small draft head (eagle), or the " +
        "text so far (ngram), which takes no device time.",
    ),
  draftTokens: count(1, 64).describe("Draft tokens per sequence and step."),
  acceptance: z
    .union([probability(), z.array(probability()).min(1).max(64), word()], {
      error: "a probability, a list with one for each draft token, or the name of a published curve",
    })
    .describe(
      "Probability that a draft token is accepted when all before it were: one for all, one for each, or a published " +
        `curve of acceptance lengths: ${acceptanceCurveNames.join(", ")}.`,
    ),
  draftLayers: count(1, 64)
    .optional()
    .describe(
      "Layers that a draft token passes, with mtp and eagle; default 1. mtp needs it for a model without such layers.",
    ),
});
