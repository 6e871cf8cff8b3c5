import { z } from "zod";
import { holds } from "../../core/errors.ts";
import { ActivationStore } from "../activation/activation-store.ts";
import { RunningMatch } from "../activation/running-match.ts";
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
  needs: ["training"],
  emulated: false,
  parameters,
  // The same search as MoE-Infinity's, whose time is published: 21 us with 1,000 entries.
  latencyNs: ({ entries }) => entries * 22,
  prepare: (context, { entries }) => {
    const { layers, experts, topK, distance, layerMap, training } = context;
    holds(training !== null, "prefetch-needs", () => "trajectory without training rows");
    const kept = Math.min(entries, training.rows);
    const store = new ActivationStore({ layers, expertsPerLayer: experts }, kept, "nearest-trajectory");
    const matrix = new Float64Array(layers * experts);
    for (let i = 0; i < kept; i++) {
      const row = Math.floor((i * training.rows) / kept);
      matrix.fill(0);
      for (let layer = 0; layer < layers; layer++) {
        const first = (row * training.layers + layerMap[layer]!) * topK;
        for (let at = first; at < first + topK; at++)
          if (training.ids[at]! < experts) matrix[layer * experts + training.ids[at]!] = 1 / topK;
      }
      store.insert(matrix);
    }
    return (cache) => {
      const observed = new RunningMatch(store);
      const chosen = new ChosenCounts(context);
      const guesses = new PriorityGuesses(context, cache);
      return {
        stepStarts: () => observed.clear(),
        layerChosen: (step, layer, _keys, _count, out) => {
          chosen.take(step, layer);
          for (let i = 0; i < chosen.count; i++) {
            const expert = chosen.experts[i]!;
            observed.add(layer * experts + expert, chosen.tokens[expert]!);
          }
          if (layer + 1 >= layers) return;
          const match = observed.bestTrajectory(layer + 1);
          if (match === null) return;
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++)
            guesses.addLayer(store.entry(match.place), ahead * experts, ahead, 1 - (ahead - layer - 1) / layers);
          guesses.flush(out);
        },
      };
    };
  },
};
