import { z } from "zod";
import { holds } from "../../core/errors.ts";
import { ChosenCounts } from "./chosen-counts.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";
import { PriorityGuesses } from "./priority-guesses.ts";

const parameters = {
  entries: z.int().min(1).max(32_768).default(1000).describe("Tokens of the training rows that are remembered."),
};

/**
 * FineMoE, formerly fMoE (EuroSys 2026, arXiv 2502.05370; IntelliSys-Lab/FineMoE-EuroSys26, 5c58468): the experts of a past token, layer
 * by layer, are its trajectory. The one whose beginning has the highest cosine with what the step has passed says what comes next,
 * with priorities that fall with the distance as in the repository.
 *
 * Left out: the other half, which guesses the first layers from the nearest token embedding: traces hold none. Traces hold choices
 * rather than probabilities, so a trajectory has 1/k for each expert chosen; the rule of how many to guess, those with
 * 1 - similarity of the probability but at least k, then always gives k. Tokens to remember are spread evenly over the training rows,
 * where the paper replaces the nearest of a full store; the store does not grow during the run. A step of several tokens is
 * compared as one. The paper guesses from a fixed distance on, here the layers up to it.
 */
export const trajectory: PrefetchPolicy<typeof parameters> = {
  name: "trajectory",
  rule: "Expects what the training token used whose experts so far are most like those of the step.",
  needs: ["training", "depth"],
  emulated: false,
  parameters,
  // The same search as MoE-Infinity's, whose time is published: 21 us with 1,000 entries.
  latencyNs: ({ entries }) => entries * 22,
  prepare: (context, { entries }) => {
    const { layers, experts, topK, distance, layerMap, training } = context;
    holds(training !== null, "prefetch-needs", () => "trajectory without training rows");
    const kept = Math.min(entries, training.rows);
    const rowOf = (entry: number): number => Math.floor((entry * training.rows) / kept);
    return (cache) => {
      const chosen = new ChosenCounts(context);
      const guesses = new PriorityGuesses(context, cache);
      const shares = new Float32Array(experts);
      /** [kept] product of each entry's layers so far with those of the step, and squared norm of the former; in units of 1/k. */
      const dots = new Float64Array(kept);
      const norms = new Float64Array(kept);

      /** Adds a layer of the step to all products; returns the entry with the highest cosine. */
      const nearest = (layer: number): number => {
        let best = 0;
        let most = -1;
        for (let entry = 0; entry < kept; entry++) {
          const first = (rowOf(entry) * training.layers + layerMap[layer]!) * topK;
          for (let at = first; at < first + topK; at++) {
            const expert = training.ids[at]!;
            if (expert >= experts) continue;
            norms[entry]!++;
            dots[entry]! += chosen.tokens[expert]!;
          }
          // The cosine but for what all entries have in common.
          const cosine = norms[entry] === 0 ? 0 : dots[entry]! / Math.sqrt(norms[entry]!);
          if (cosine <= most) continue;
          most = cosine;
          best = entry;
        }
        return best;
      };

      return {
        stepStarts: () => {
          dots.fill(0);
          norms.fill(0);
        },
        layerChosen: (step, layer, _keys, _count, out) => {
          chosen.take(step, layer);
          const row = rowOf(nearest(layer));
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++) {
            shares.fill(0);
            const first = (row * training.layers + layerMap[ahead]!) * topK;
            for (let at = first; at < first + topK; at++)
              if (training.ids[at]! < experts) shares[training.ids[at]!] = 1 / topK;
            guesses.addLayer(shares, 0, ahead, 1 - (ahead - layer - 1) / layers);
          }
          guesses.flush(out);
        },
      };
    };
  },
};
