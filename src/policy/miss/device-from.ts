import { z } from "zod";

/** From how many tokens on the device computes what the host else would. */
export const deviceFrom = z
  .int()
  .min(1)
  .max(1e9)
  .optional()
  .describe(
    "Tokens of a step from which missing experts are fetched and computed by the device all the same, as llama.cpp does from 32 " +
      "and KTransformers from --kt-gpu-prefill-token-threshold. Default: never.",
  );
