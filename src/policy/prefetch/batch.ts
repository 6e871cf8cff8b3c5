import { z } from "zod";
import { EmulatedGuesses, type GuessRates, ratesOf } from "./emulated-guesses.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";

const parameters = {
  truePositives: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe("Probability with which an expert that a layer will ask for is predicted."),
  falsePositives: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      "Probability with which any other expert of the layer is predicted. Default: as many wrong ones are expected as right " +
        "ones are missed.",
    ),
};

/**
 * ExpertFlow's routing path predictor (arXiv 2410.17954, DAC 2026; "predictive" there, not the scheduler of that name): a small encoder
 * and decoder predicts, before a batch runs, which experts it will use in all layers. Its slots are then shared out and filled, and
 * corrected while the layers run. Emulated by how often it is right and wrong, as in the paper's own ablation. More than 90 % are
 * published as right, in the domain it was trained in; false positives are not. Left out: the grouping of tokens into batches by
 * predicted path, which is a scheduler's. The correction is the run's: what the gates choose is fetched as any miss.
 */
export const batch: PrefetchPolicy<typeof parameters> = {
  name: "batch",
  rule: "Predicts the experts of all layers before the step starts, as often right and wrong as is said.",
  needs: [],
  emulated: true,
  parameters,
  // 7.21 MB of weights; the paper overlaps it with the batch before, and gives no time.
  latencyNs: () => 0,
  prepare: (context, { truePositives, falsePositives }) => {
    const rates: GuessRates =
      falsePositives === undefined
        ? ratesOf(truePositives, truePositives)
        : { recall: truePositives, wrong: () => falsePositives };
    return (cache) => {
      const guesses = new EmulatedGuesses(context, cache);
      return {
        stepStarts: (step, out) => {
          guesses.stepStarts();
          for (let layer = 0; layer < context.layers; layer++) guesses.guess(step, layer, rates, out);
        },
        layerChosen: () => {},
      };
    };
  },
};
