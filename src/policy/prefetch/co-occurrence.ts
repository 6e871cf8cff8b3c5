import { z } from "zod";
import { holds } from "../../core/errors.ts";
import { expertCounts } from "../../trace/stats/popularity.ts";
import { byLayerPair, expertPairs } from "./expert-pairs.ts";
import type { PrefetchPolicy, PrefetchStep } from "./prefetcher.ts";
import { TopGuesses } from "./top-guesses.ts";

const parameters = {
  context: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Latest layers of a token whose experts are evidence for its later ones."),
};

/** Tokens of a step that are looked at; of more, as many spread over it. What so many ask for leaves few experts out anyway. */
const tokensMax = 64;
const pairBytesMax = 2 ** 30;

/**
 * Experts that the same token chooses in different layers go together. `layer-markov` knows the last layer of the step as a whole; this
 * looks at each token by itself, and at its experts in the latest layers together. Each of them makes a later expert as much more or
 * less likely than its popularity as training tokens had it (naive Bayes, on counts of pairs of layers; one count of popularity added
 * to each row). Neighbouring layers say the same in part, so the evidence of n experts is weighed by the root of n: on recorded
 * traces better than taking it as independent (weight n) or as one piece (weight 1). The tokens' probabilities add up. Idea: the
 * activation paths of EdgeMoE (arXiv 2308.14352), which conditions on the experts of earlier layers too; left out: its tables of
 * whole paths, which most tokens of models with many experts never hit. Nothing is guessed for the first layer.
 */
export const coOccurrence: PrefetchPolicy<typeof parameters> = {
  name: "co-occurrence",
  rule: "Expects, token by token, the experts that training tokens chose together with those of the token's latest layers.",
  needs: ["training", "depth"],
  emulated: false,
  parameters,
  // Sums over rows of a table; nobody published a time.
  latencyNs: () => 0,
  misfit: ({ layers, experts, distance }, { context }) =>
    layers * (context + distance - 1) * experts * experts * 4 <= pairBytesMax
      ? null
      : { key: "context", expected: `tables of at most ${pairBytesMax} bytes: fewer layers, or a shorter distance` },
  prepare: (setting, { context: span }) => {
    const { layers, experts, topK, distance, layerMap, replayed, training } = setting;
    holds(training !== null, "prefetch-needs", () => "co-occurrence without training rows");
    const { rows } = training;
    const priorOf = (count: number): number => (count + 1 / experts) / (rows + 1);
    /** [experts x experts] logarithm of how much likelier the second layer's expert is after the first one's. */
    const evidence = byLayerPair((from, to) => {
      const { together, first, second } = expertPairs(training, from, to);
      return Float32Array.from(together, (count, at) => {
        const prior = priorOf(second[at % experts]!);
        return Math.log((count + prior) / (first[Math.floor(at / experts)]! + 1) / prior);
      });
    });
    /** [recorded layers] logarithms of popularity. */
    const popularity = Array.from({ length: training.layers }, (_, layer) =>
      Float64Array.from(expertCounts(training, layer), (count) => Math.log(priorOf(count))),
    );
    /** [guessed layer][layers before it - 1] */
    const tables = Array.from({ length: layers }, (_, ahead) =>
      Array.from({ length: Math.min(ahead, span + distance - 1) }, (_none, back) =>
        evidence(layerMap[ahead - back - 1]!, layerMap[ahead]!),
      ),
    );
    return (cache) => {
      const top = new TopGuesses(setting, cache);
      const scores = new Float64Array(experts);
      const token = new Float64Array(experts);

      /** Adds to `scores` what the token of a row is expected to choose at `ahead`, known up to `layer`. */
      const addToken = (row: number, layer: number, ahead: number): void => {
        const { ids } = replayed;
        token.fill(0);
        let count = 0;
        for (let from = Math.max(0, layer - span + 1); from <= layer; from++) {
          const table = tables[ahead]![ahead - from - 1]!;
          const first = (row * replayed.layers + layerMap[from]!) * topK;
          for (let at = first; at < first + topK; at++) {
            if (ids[at]! >= experts) continue;
            count++;
            const base = ids[at]! * experts;
            for (let expert = 0; expert < experts; expert++) token[expert]! += table[base + expert]!;
          }
        }
        if (count === 0) return;
        const weight = 1 / Math.sqrt(count);
        const prior = popularity[layerMap[ahead]!]!;
        let most = Number.NEGATIVE_INFINITY;
        for (let expert = 0; expert < experts; expert++) {
          token[expert] = prior[expert]! + weight * token[expert]!;
          most = Math.max(most, token[expert]!);
        }
        let sum = 0;
        for (let expert = 0; expert < experts; expert++) {
          token[expert] = Math.exp(token[expert]! - most);
          sum += token[expert]!;
        }
        for (let expert = 0; expert < experts; expert++) scores[expert]! += Math.min(1, (topK * token[expert]!) / sum);
      };

      return {
        stepStarts: () => {},
        layerChosen: (step, layer, _keys, _count, out) => {
          const last = Math.min(layers - 1, layer + distance);
          for (let ahead = layer + 1; ahead <= last; ahead++) {
            scores.fill(0);
            forTokens(step, (row) => addToken(row, layer, ahead));
            top.add(scores, ahead, out);
          }
        },
      };
    };
  },
};

function forTokens({ rows, count }: PrefetchStep, visit: (row: number) => void): void {
  const looked = Math.min(count, tokensMax);
  for (let i = 0; i < looked; i++) visit(rows[Math.floor((i * count) / looked)]!);
}
