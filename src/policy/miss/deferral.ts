import { z } from "zod";
import { deviceFrom } from "./device-from.ts";
import { type MissPolicy, missActions } from "./miss-policy.ts";

const parameters = {
  experts: z
    .int()
    .min(1)
    .max(64)
    .default(3)
    .describe("Last choices of a token that may be deferred; KTransformers recommends 1 to 4."),
  deviceFrom,
};

/**
 * Expert deferral of KTransformers (Chen et al., SOSP 2025; `--kt-max-deferred-experts-per-token`): the experts that weigh
 * least are computed by the host beside the next layer, and added there. The last layer of a stage waits for its own. An expert
 * is deferred if it is among the last choices of all its tokens. With experts on disks nothing is deferred. The choices stand in
 * the order in which the trace stores them, which is by weight where a table or `capture` had weights.
 */
export const deferral: MissPolicy<typeof parameters> = {
  name: "deferral",
  rule: "The host computes every missing expert; the last choices of a token are added one layer later (lossy).",
  needs: ["host", "ranks"],
  keepsOut: true,
  parameters,
  create: ({ topK }, { experts, deviceFrom: from = Number.POSITIVE_INFINITY }) => ({
    decide: ({ count, hit, ranks, stepTokens }, _times, action) => {
      for (let i = 0; i < count; i++)
        if (stepTokens >= from) action[i] = missActions.fetch;
        else if (hit[i] === 0) action[i] = ranks[i]! >= topK - experts ? missActions.defer : missActions.host;
    },
  }),
};
