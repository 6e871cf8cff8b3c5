import { holds } from "../../core/errors.ts";
import type { Guesses } from "./guesses.ts";
import type { PrefetchPolicy, PrefetchStep } from "./prefetcher.ts";
import { tokenShares } from "./token-shares.ts";
import { TopGuesses } from "./top-guesses.ts";

/**
 * Experts by the token itself: of each layer, how often the training rows chose an expert for the same id of the vocabulary. It is
 * known before the first layer runs, so a guess does not grow worse with the distance, and routers look at the token more than at
 * its context (OpenMoE, arXiv 2402.01739). The tokens' shares add up; tokens that the training rows never had say nothing. Published
 * accuracy of predictors that know tokens alone: 58.3 % (ProMoE, arXiv 2410.22134). A trace has to name the token of each row
 * (`token` in docs/traces.md), as those of `moecast capture` do.
 */
export const tokenId: PrefetchPolicy = {
  name: "token-id",
  rule: "Expects of each layer the experts that the training rows used for the same tokens of the vocabulary.",
  needs: ["training", "tokens"],
  emulated: false,
  parameters: {},
  // A look into a table.
  latencyNs: () => 0,
  prepare: (context) => {
    const { layers, experts, distance, layerMap, replayed, training } = context;
    holds(
      training?.tokens !== undefined && replayed.tokens !== undefined,
      "prefetch-needs",
      () => "token-id without the tokens of both tables",
    );
    const { tokens } = replayed;
    const known = tokenShares(training, training.tokens);
    return (cache) => {
      const top = new TopGuesses(context, cache);
      const scores = new Float64Array(experts);
      const expect = ({ rows, count }: PrefetchStep, from: number, to: number, out: Guesses): void => {
        for (let layer = from; layer <= Math.min(to, layers - 1); layer++) {
          scores.fill(0);
          for (let r = 0; r < count; r++) {
            const place = known.placeOf.get(tokens[rows[r]!]!);
            if (place === undefined) continue;
            const list = place * training.layers + layerMap[layer]!;
            for (let i = known.starts[list]!; i < known.starts[list + 1]!; i++)
              scores[known.experts[i]!]! += known.shares[i]!;
          }
          top.add(scores, layer, out);
        }
      };
      return {
        stepStarts: (step, out) => expect(step, 0, distance - 1, out),
        layerChosen: (step, layer, _keys, _count, out) => expect(step, layer + 1, layer + distance, out),
      };
    };
  },
};
