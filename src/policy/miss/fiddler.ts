import { z } from "zod";
import { type MissPolicy, missActions } from "./miss-policy.ts";

/** Tokens from which the released code fetches: 7 units of time a token on the processor against 70 for a transfer. */
const repositoryTokens = 10;

const parameters = {
  variant: z
    .enum(["paper", "repo"])
    .default("paper")
    .describe("paper: by the times of this machine; repo: the released code's constants, fetch from 10 tokens on."),
};

/**
 * Fiddler (Kamahori et al., arXiv 2402.07033): each missing expert goes where it is done first on its own. Released code
 * (efeslab/fiddler) compares fixed costs and sums them. It runs device and processor one after the other; here they run at once.
 */
export const fiddler: MissPolicy<typeof parameters> = {
  name: "fiddler",
  rule: "Each missing expert is computed by the host where that is sooner than fetching it, by itself.",
  needs: ["host"],
  parameters,
  create: (_context, { variant }) => ({
    decide: ({ count, hit, tokens }, times, action) => {
      for (let i = 0; i < count; i++) {
        if (hit[i] === 1) continue;
        const n = tokens[i]!;
        const stays = variant === "repo" ? n < repositoryTokens : times.hostNs(n) < times.fetchNs + times.deviceNs(n);
        action[i] = stays ? missActions.host : missActions.fetch;
      }
    },
  }),
};
