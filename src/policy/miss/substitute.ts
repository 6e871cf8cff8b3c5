import { firstChoices } from "./first-choices.ts";
import { type MissPolicy, missActions } from "./miss-policy.ts";

/**
 * Missing experts among the late choices of a token are replaced by one that is there, as DAOP does between CPU and GPU
 * (arXiv 2501.10375). Which one does not change the time, so none is chosen by likeness. Order of choices as for `skip`.
 */
export const substitute: MissPolicy<typeof firstChoices> = {
  name: "substitute",
  rule: "Missing experts behind the first choices of a token are replaced by resident ones (lossy).",
  needs: ["ranks"],
  parameters: firstChoices,
  create: (_context, { keep }) => ({
    decide: ({ count, hit, ranks }, _times, action) => {
      let resident = false;
      for (let i = 0; i < count; i++) if (hit[i] === 1) resident = true;
      for (let i = 0; i < count; i++)
        if (hit[i] === 0) action[i] = resident && ranks[i]! >= keep ? missActions.substitute : missActions.fetch;
    },
  }),
};
