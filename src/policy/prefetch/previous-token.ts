import type { Guesses } from "./guesses.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";

/**
 * Expects of a layer what the step before asked of it: for one sequence, the experts of the previous token. Neighbouring tokens
 * share more experts than chance would have it (mixtral-offloading, arXiv 2312.17238, section 3.1). Published accuracy of
 * predictors that know tokens alone: 58.3 % (ProMoE, arXiv 2410.22134). Of a batch all experts of the step before are expected, in
 * the order in which they were met; who belongs to which request is left out.
 */
export const previousToken: PrefetchPolicy = {
  name: "previous-token",
  rule: "Expects of each layer the experts that the previous step asked of it.",
  needs: [],
  emulated: false,
  parameters: {},
  // A copy of a list that is there.
  latencyNs: () => 0,
  prepare:
    ({ layers, experts, distance }) =>
    () => {
      const before = Array.from({ length: layers }, () => new Uint32Array(experts));
      const counts = new Uint32Array(layers);
      const expect = (from: number, to: number, out: Guesses): void => {
        for (let layer = from; layer <= Math.min(to, layers - 1); layer++)
          for (let i = 0; i < counts[layer]!; i++) out.add(layer * experts + before[layer]![i]!);
      };
      return {
        stepStarts: (_step, out) => expect(0, distance - 1, out),
        layerChosen: (_step, layer, keys, count, out) => {
          for (let i = 0; i < count; i++) before[layer]![i] = keys[i]! % experts;
          counts[layer] = count;
          expect(layer + 1, layer + distance, out);
        },
      };
    },
};
