import { holds } from "../../core/errors.ts";
import { expertCounts } from "../../trace/stats/popularity.ts";
import type { Guesses } from "./guesses.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";
import { TopGuesses } from "./top-guesses.ts";

/**
 * Expects the experts that the training rows used most, whatever the step. What any predictor has to beat: it is right as often as
 * a few experts are popular. Nothing follows changes of popularity.
 */
export const frequency: PrefetchPolicy = {
  name: "frequency",
  rule: "Expects of each layer the experts that the training rows used most.",
  needs: ["training"],
  emulated: false,
  parameters: {},
  // A list that never changes.
  latencyNs: () => 0,
  prepare: (context) => {
    const { layers, distance, layerMap, training } = context;
    holds(training !== null, "prefetch-needs", () => "frequency without training rows");
    const recorded = Array.from({ length: training.layers }, (_, layer) => expertCounts(training, layer));
    return (cache) => {
      const top = new TopGuesses(context, cache);
      const expect = (from: number, to: number, out: Guesses): void => {
        for (let layer = from; layer <= Math.min(to, layers - 1); layer++)
          top.add(recorded[layerMap[layer]!]!, layer, out);
      };
      return {
        stepStarts: (_step, out) => expect(0, distance - 1, out),
        layerChosen: (_step, layer, _keys, _count, out) => expect(layer + 1, layer + distance, out),
      };
    };
  },
};
