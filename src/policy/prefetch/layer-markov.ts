import { holds } from "../../core/errors.ts";
import { byLayerPair, expertPairs, sharesAfter } from "./expert-pairs.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";
import { TopGuesses } from "./top-guesses.ts";

/**
 * A chain of first order from layer to layer: each expert that a layer chose votes for those of a later layer with the share of
 * training tokens that went from it to them, and the votes add up. It knows neither which token chose what nor earlier layers
 * (`co-occurrence` does). Conditional tables of this kind: ExFlow (arXiv 2401.08383), EdgeMoE (arXiv 2308.14352), and the baseline
 * of papers on trained predictors. Nothing is guessed for the first layer.
 */
export const layerMarkov: PrefetchPolicy = {
  name: "layer-markov",
  rule: "Expects the experts to which tokens of the training rows went most from those that the layer chose.",
  needs: ["training", "depth"],
  emulated: false,
  parameters: {},
  // A sum of a few rows of a table; nobody published a time.
  latencyNs: () => 0,
  prepare: (context) => {
    const { layers, experts, distance, layerMap, training } = context;
    holds(training !== null, "prefetch-needs", () => "layer-markov without training rows");
    const recorded = byLayerPair((from, to) => sharesAfter(expertPairs(training, from, to)));
    /** [layer][distance - 1] shares from the layer to the one behind it. */
    const shares = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: Math.min(distance, layers - 1 - layer) }, (_none, d) =>
        recorded(layerMap[layer]!, layerMap[layer + d + 1]!),
      ),
    );
    return (cache) => {
      const top = new TopGuesses(context, cache);
      const scores = new Float64Array(experts);
      return {
        stepStarts: () => {},
        layerChosen: (_step, layer, keys, count, out) => {
          const ahead = shares[layer]!;
          for (let d = 0; d < ahead.length; d++) {
            const from = ahead[d]!;
            scores.fill(0);
            for (let i = 0; i < count; i++) {
              const base = (keys[i]! % experts) * experts;
              for (let expert = 0; expert < experts; expert++) scores[expert]! += from[base + expert]!;
            }
            top.add(scores, layer + d + 1, out);
          }
        },
      };
    };
  },
};
