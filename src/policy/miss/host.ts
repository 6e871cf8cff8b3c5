import { z } from "zod";
import { type MissPolicy, missActions } from "./miss-policy.ts";

const parameters = {
  deviceFrom: z
    .int()
    .min(1)
    .max(1e9)
    .optional()
    .describe(
      "Tokens of a step from which missing experts are fetched and computed by the device all the same, as llama.cpp does from 32 " +
        "and KTransformers from --kt-gpu-prefill-token-threshold. Default: never.",
    ),
};

/**
 * Experts outside device memory are computed where they lie, as llama.cpp does with `--cpu-moe`, `--n-cpu-moe` and `-ot`, and
 * KTransformers with all but its GPU experts. What the device computes beside them hides them, or they hide it.
 */
export const host: MissPolicy<typeof parameters> = {
  name: "host",
  rule: "The host's processors compute every missing expert, beside what the device computes.",
  needs: ["host"],
  parameters,
  create: (_context, { deviceFrom = Number.POSITIVE_INFINITY }) => ({
    decide: ({ count, stepTokens }, _times, action) =>
      void action.fill(stepTokens >= deviceFrom ? missActions.fetch : missActions.host, 0, count),
  }),
};
