import { z } from "zod";
import { type MissPolicy, missActions } from "./miss-policy.ts";

const parameters = {
  keep: z
    .int()
    .min(0)
    .max(64)
    .default(1)
    .describe("First choices of a token whose experts are fetched when they are missing."),
};

/**
 * Missing experts among the late choices of a token are not computed. An expert of several tokens goes by the one that ranks it
 * first. The choices stand in the order in which the trace stores them.
 */
export const skip: MissPolicy<typeof parameters> = {
  name: "skip",
  rule: "Missing experts behind the first choices of a token are skipped (lossy).",
  needs: ["ranks"],
  parameters,
  create: (_context, { keep }) => ({
    decide: ({ count, hit, ranks }, _times, action) => {
      for (let i = 0; i < count; i++)
        if (hit[i] === 0) action[i] = ranks[i]! >= keep ? missActions.skip : missActions.fetch;
    },
  }),
};
