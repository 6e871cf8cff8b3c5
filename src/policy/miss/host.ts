import { deviceFrom } from "./device-from.ts";
import { type MissPolicy, missActions } from "./miss-policy.ts";

const parameters = { deviceFrom };

/**
 * Experts outside device memory are computed where they lie, as llama.cpp does with `--cpu-moe`, `--n-cpu-moe` and `-ot`, and
 * KTransformers with all but its GPU experts. What the device computes beside them hides them, or they hide it.
 */
export const host: MissPolicy<typeof parameters> = {
  name: "host",
  rule: "The host's processors compute every missing expert, beside what the device computes.",
  needs: ["host"],
  keepsOut: true,
  parameters,
  create: (_context, { deviceFrom: from = Number.POSITIVE_INFINITY }) => ({
    decide: ({ count, stepTokens }, _times, action) =>
      void action.fill(stepTokens >= from ? missActions.fetch : missActions.host, 0, count),
  }),
};
