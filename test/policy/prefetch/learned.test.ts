import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coOccurrence } from "../../../src/policy/prefetch/co-occurrence.ts";
import { frequency } from "../../../src/policy/prefetch/frequency.ts";
import { layerMarkov } from "../../../src/policy/prefetch/layer-markov.ts";
import { previousToken } from "../../../src/policy/prefetch/previous-token.ts";
import { tokenId } from "../../../src/policy/prefetch/token-id.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { asked, contextOf, guessesOver, ranked, routing } from "./prefetch-cases.ts";

const steps = [[0], [1], [2, 20, 40], [3, 21], [4]];
const cases = fc.record({
  seed: fc.nat(1e6),
  distance: fc.integer({ min: 1, max: 4 }),
  budget: fc.integer({ min: 1, max: 6 }),
});
const holds = (property: (given: { seed: number; distance: number; budget: number }) => void, numRuns = 12): void =>
  fc.assert(fc.property(cases, property), { numRuns });

/** Keys of the best experts of each layer behind `layer`, up to the distance. */
const ahead = (
  { layers, experts }: RoutingTable,
  layer: number,
  { distance, budget }: { distance: number; budget: number },
  scoresOf: (target: number) => ReadonlyMap<number, number>,
): number[] =>
  Array.from({ length: Math.max(0, Math.min(layers - 1, layer + distance) - layer) }, (_, d) => layer + d + 1).flatMap(
    (target) => ranked(scoresOf(target), budget).map((expert) => target * experts + expert),
  );

const add = (map: Map<number, number>, key: number, amount: number): void => {
  map.set(key, (map.get(key) ?? 0) + amount);
};

/** Experts of each row of a table at a layer. */
const choicesAt = (table: RoutingTable, layer: number): number[][] =>
  Array.from({ length: table.rows }, (_, row) => asked(table, [row], layer));

test("frequency expects what the training rows used most", () =>
  holds(({ seed, ...given }) => {
    const replayed = routing(seed);
    const training = routing(seed + 1, { rows: 40 });
    const uses = (layer: number) => {
      const counts = new Map<number, number>();
      for (const expert of choicesAt(training, layer).flat()) add(counts, expert, 1);
      return counts;
    };
    const found = guessesOver(frequency, {}, contextOf(replayed, { training, ...given }), steps, { silent: true });
    for (const step of found)
      for (const [at, guesses] of step.entries()) expect(guesses).toEqual(ahead(replayed, at - 1, given, uses));
  }));

test("layer-markov adds the shares of training tokens that went from each expert to each", () =>
  holds(({ seed, ...given }) => {
    const replayed = routing(seed);
    const training = routing(seed + 1, { rows: 40 });
    const found = guessesOver(layerMarkov, {}, contextOf(replayed, { training, ...given }), steps, { silent: true });
    for (const [s, step] of found.entries()) {
      expect(step[0]).toEqual([]);
      for (let layer = 0; layer < replayed.layers; layer++) {
        const scoresOf = (target: number) => {
          const scores = new Map<number, number>();
          const [above, below] = [choicesAt(training, layer), choicesAt(training, target)];
          for (const expert of asked(replayed, steps[s]!, layer)) {
            const tokens = below.filter((_experts, row) => above[row]!.includes(expert));
            const counts = new Map<number, number>();
            for (const next of tokens.flat()) add(counts, next, 1);
            for (const [next, count] of counts) add(scores, next, Math.fround(count / tokens.length));
          }
          return scores;
        };
        expect(step[layer + 1]).toEqual(ahead(replayed, layer, given, scoresOf));
      }
    }
  }));

test("co-occurrence weighs each token's latest layers together", () =>
  holds(({ seed, distance, budget }) => {
    const span = 1 + (seed % 3);
    const replayed = routing(seed);
    const training = routing(seed + 1, { rows: 40 });
    const { experts, topK, rows } = { ...training };
    const chosenAt = Array.from({ length: training.layers }, (_, layer) => choicesAt(training, layer));
    const count = (layer: number, expert: number) =>
      chosenAt[layer]!.filter((chosen) => chosen.includes(expert)).length;
    const prior = (layer: number, expert: number) => (count(layer, expert) + 1 / experts) / (rows + 1);
    const both = (from: number, e: number, to: number, f: number) =>
      chosenAt[from]!.filter((chosen, row) => chosen.includes(e) && chosenAt[to]![row]!.includes(f)).length;
    const scoresFor = (row: number, layer: number, target: number): number[] => {
      const evidence = Array.from({ length: Math.min(span, layer + 1) }, (_, back) => layer - back).flatMap((from) =>
        asked(replayed, [row], from).map((expert) => ({ from, expert })),
      );
      const weights = Array.from({ length: experts }, (_, f) => {
        let sum = 0;
        for (const { from, expert } of evidence) {
          const after = (both(from, expert, target, f) + prior(target, f)) / (count(from, expert) + 1);
          sum += Math.log(after / prior(target, f));
        }
        return prior(target, f) * Math.exp(sum / Math.sqrt(evidence.length));
      });
      const total = weights.reduce((a, b) => a + b, 0);
      return weights.map((weight) => Math.min(1, (topK * weight) / total));
    };
    const found = guessesOver(
      coOccurrence,
      { context: span },
      contextOf(replayed, { training, distance, budget }),
      [[0], [2, 40]],
      { silent: true },
    );
    for (const [s, tokens] of [[0], [2, 40]].entries())
      for (let layer = 0; layer < replayed.layers - 1; layer++) {
        const guesses = found[s]![layer + 1]!;
        for (let target = layer + 1; target <= Math.min(layer + distance, replayed.layers - 1); target++) {
          const byToken = tokens.map((row) => scoresFor(row, layer, target));
          const scores = Array.from({ length: experts }, (_, f) => byToken.reduce((sum, of) => sum + of[f]!, 0));
          const of = guesses.filter((key) => Math.floor(key / experts) === target).map((key) => key % experts);
          expect(of.length).toBe(Math.min(budget, experts));
          // Rounding of the tables may swap experts that are alike, and no others.
          const best = [...scores].sort((a, b) => b - a);
          for (const [place, expert] of of.entries()) expect(scores[expert]).toBeCloseTo(best[place]!, 4);
        }
      }
  }, 5));

test("token-id adds what the training rows of each token chose, before any layer and behind each", () =>
  holds(({ seed, ...given }) => {
    const replayed = routing(seed, { tokens: true });
    const whole = routing(seed + 1, { rows: 40, tokens: true });
    // Token 4 never occurs in the training rows.
    const training = { ...whole, tokens: whole.tokens!.map((token) => token % 4) };
    const context = contextOf(replayed, { training, ...given });
    const found = guessesOver(tokenId, {}, context, steps, { silent: true });
    for (const [s, step] of found.entries())
      for (const [at, guesses] of step.entries()) {
        const scoresOf = (layer: number) => {
          const scores = new Map<number, number>();
          for (const row of steps[s]!) {
            const alike = choicesAt(training, layer).filter(
              (_chosen, r) => training.tokens[r] === replayed.tokens![row],
            );
            const counts = new Map<number, number>();
            for (const expert of alike.flat()) add(counts, expert, 1);
            for (const expert of [...counts.keys()].sort((a, b) => a - b))
              add(scores, expert, Math.fround(counts.get(expert)! / alike.length));
          }
          return scores;
        };
        expect(guesses).toEqual(ahead(replayed, at - 1, given, scoresOf));
      }
  }));

describe("previous-token", () => {
  test("expects what the previous step asked of the layer", () => {
    const replayed = routing(3);
    const { layers, experts } = replayed;
    const found = guessesOver(previousToken, {}, contextOf(replayed, { distance: 2 }), steps, { silent: true });
    for (let s = 1; s < steps.length; s++)
      for (let layer = -1; layer < layers; layer++) {
        const targets = [layer + 1, layer + 2].filter((target) => target < layers);
        expect(found[s]![layer + 1]).toEqual(
          targets.flatMap((target) => asked(replayed, steps[s - 1]!, target).map((e) => target * experts + e)),
        );
      }
  });

  test("knows nothing before the first step", () => {
    expect(guessesOver(previousToken, {}, contextOf(routing(3)), [[0]], { silent: true })[0]!.flat()).toEqual([]);
  });
});
