import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { ActivationStore } from "../activation/activation-store.ts";
import { RunningMatch } from "../activation/running-match.ts";
import { ChosenCounts } from "./chosen-counts.ts";
import type { PrefetchContext, PrefetchPolicy } from "./prefetcher.ts";
import { PriorityGuesses } from "./priority-guesses.ts";

const parameters = {
  variant: z
    .enum(["paper", "repo"])
    .default("paper")
    .describe(
      "paper: compares the layers that this step has passed. repo: compares the layers ahead, with what the request's earlier " +
        "steps asked of them.",
    ),
  entries: z.int().min(1).max(10_000).default(120).describe("Requests of the training rows that are remembered."),
};

/** Matching takes 21 us with 1,000 entries and 226 us with 10,000 (MoE-Infinity, from a secondary source). */
const latencyNsPerEntry = 22;

/**
 * MoE-Infinity (arXiv 2401.14361; EfficientMoE/MoE-Infinity, d617801): which experts a request used is a matrix, layers x experts, of tokens.
 * The matrix of a past request that is most similar to what is observed says what comes next: the share of its tokens at each
 * later layer, x 1 - (distance - 1) / (layers + 1). Similar is the mean of the layers' cosines.
 *
 * The paper observes one step and compares the layers passed; of a full store it replaces the most similar matrix. The repository's
 * scorer makes those layers of all stored matrices alike, so that only layers ahead count, and observes the request so far; on its
 * first step all are alike and the first one is taken; of a full store the least matched leaves. Its runtime does not call it.
 *
 * The store is filled from the training rows, a sequence being a request, and does not grow during the run. Left out: the paper's
 * sum over several matches, the repository's 1e-8 for every expert that was never used, and matrices of each request of a batch:
 * those that run together are one, and a request that begins makes it begin anew.
 */
export const activationMatrix: PrefetchPolicy<typeof parameters> = {
  name: "activation-matrix",
  rule: "Expects what the most similar request of the training rows used.",
  needs: ["training", "depth"],
  emulated: false,
  parameters,
  latencyNs: ({ entries }) => entries * latencyNsPerEntry,
  prepare: (context, { variant, entries }) => {
    const { layers, experts, distance, training } = context;
    holds(training !== null, "prefetch-needs", () => "activation-matrix without training rows");
    const store = new ActivationStore(
      { layers, expertsPerLayer: experts },
      entries,
      variant === "paper" ? "most-similar" : "least-matched",
    );
    for (let s = 0; s + 1 < training.sequenceStarts.length; s++) store.insert(requestMatrix(context, training, s));
    return (cache) => {
      const observed = new RunningMatch(store);
      const chosen = new ChosenCounts(context);
      const guesses = new PriorityGuesses(context, cache);
      return {
        requestStarts: () => {
          if (variant === "repo") observed.clear();
        },
        stepStarts: () => {
          if (variant === "paper") observed.clear();
        },
        layerChosen: (step, layer, _keys, _count, out) => {
          chosen.take(step, layer);
          for (let i = 0; i < chosen.count; i++) {
            const expert = chosen.experts[i]!;
            observed.add(layer * experts + expert, chosen.tokens[expert]!);
          }
          if (layer + 1 >= layers) return;
          const match =
            variant === "paper" ? observed.bestLayerwise(0, layer + 1) : observed.bestLayerwise(layer + 1, layers);
          if (match === null) return;
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++)
            guesses.addLayer(store.entry(match.place), ahead * experts, ahead, 1 - (ahead - layer - 1) / (layers + 1));
          guesses.flush(out);
        },
      };
    };
  },
};

/** [layers x experts] share of the choices of a sequence that each expert has of its layer. */
function requestMatrix({ layers, experts, topK, layerMap }: PrefetchContext, training: RoutingTable, s: number) {
  const matrix = new Float64Array(layers * experts);
  const from = training.sequenceStarts[s]!;
  const to = training.sequenceStarts[s + 1]!;
  for (let row = from; row < to; row++)
    for (let layer = 0; layer < layers; layer++) {
      const first = (row * training.layers + layerMap[layer]!) * topK;
      for (let at = first; at < first + topK; at++) {
        const expert = training.ids[at]!;
        if (expert < experts) matrix[layer * experts + expert]! += 1 / ((to - from) * topK);
      }
    }
  return matrix;
}
