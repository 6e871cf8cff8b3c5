import { z } from "zod";
import { type MissPolicy, missActions } from "./miss-policy.ts";

const parameters = {
  narrowAbove: z
    .number()
    .min(0)
    .max(1)
    .default(0.6)
    .describe("A missing expert with more than this share of its token's router weights before it is fetched narrow."),
  skipAbove: z.number().min(0).max(1).default(0.9).describe("With more than this share before it, it is skipped."),
  bits: z.number().min(1).max(16).default(4).describe("Bits of a weight in the narrow copies, scales included."),
};

/**
 * HOBBIT (arXiv 2411.01433), later MoE-APEX: the less a missing expert weighs, the fewer bits of it are fetched. The thresholds
 * 0.6 and 0.9 give 67, 30 and 3 % on Mixtral. An expert of several tokens goes by the one that needs it most. The second
 * cache, of narrow copies, is left out: they stream, and take as long to compute as whole ones.
 */
export const gateScore: MissPolicy<typeof parameters> = {
  name: "gate-score",
  rule: "By the router weights before it a missing expert is fetched whole, fetched in few bits, or skipped (lossy).",
  needs: ["weights"],
  parameters,
  narrowBits: ({ bits }) => bits,
  contradiction: ({ narrowAbove, skipAbove }) =>
    skipAbove < narrowAbove ? { key: "skipAbove", expected: `at least narrowAbove, ${narrowAbove}` } : null,
  create: (_context, { narrowAbove, skipAbove }) => ({
    decide: ({ count, hit, ahead }, _times, action) => {
      for (let i = 0; i < count; i++) {
        if (hit[i] === 1) continue;
        const share = ahead[i]!;
        action[i] = share > skipAbove ? missActions.skip : share > narrowAbove ? missActions.narrow : missActions.fetch;
      }
    },
  }),
};
