import { firstChoices } from "./first-choices.ts";
import { type MissPolicy, missActions } from "./miss-policy.ts";

/**
 * Missing experts among the late choices of a token are not computed. An expert of several tokens goes by the one that ranks it
 * first. The choices stand in the order in which the trace stores them.
 */
export const skip: MissPolicy<typeof firstChoices> = {
  name: "skip",
  rule: "Missing experts behind the first choices of a token are skipped (lossy).",
  needs: ["ranks"],
  parameters: firstChoices,
  create: (_context, { keep }) => ({
    decide: ({ count, hit, ranks }, _times, action) => {
      for (let i = 0; i < count; i++)
        if (hit[i] === 0) action[i] = ranks[i]! >= keep ? missActions.skip : missActions.fetch;
    },
  }),
};
