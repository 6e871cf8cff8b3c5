import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { gate } from "../../../src/policy/prefetch/gate.ts";
import { layerMarkov } from "../../../src/policy/prefetch/layer-markov.ts";
import { perfect } from "../../../src/policy/prefetch/perfect.ts";
import { prefetchQuality } from "../../../src/policy/prefetch/prefetch-quality.ts";
import type { PrefetchPolicy } from "../../../src/policy/prefetch/prefetcher.ts";
import { previousToken } from "../../../src/policy/prefetch/previous-token.ts";
import { qualityDocument, readPrefetchQuality } from "../../../src/policy/prefetch/quality-document.ts";
import { splitSequences } from "../../../src/policy/prefetch/training-rows.ts";
import { drawn } from "../../drawn.ts";
import { asked, contextOf, guessesOver, routing, valuesOf } from "./prefetch-cases.ts";

/** Steps of `batch` sequences side by side, groups one after the other. */
function stepsOf(starts: readonly number[], batch: number): number[][] {
  const steps: number[][] = [];
  for (let s = 0; s + 1 < starts.length; s += batch)
    for (let at = 0; ; at++) {
      const rows = Array.from({ length: batch }, (_, i) => s + i)
        .filter((one) => one + 1 < starts.length && starts[one]! + at < starts[one + 1]!)
        .map((one) => starts[one]! + at);
      if (rows.length === 0) break;
      steps.push(rows);
    }
  return steps;
}

test.each([layerMarkov, previousToken] as PrefetchPolicy[])(
  "$name: recall and precision are those of its guesses, counted one by one",
  (policy) =>
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, budget, batch, distance) => {
          const { training, test: judged } = splitSequences(routing(seed, { rows: 80, sequences: 8 }), 0.5)!;
          const { layers, experts } = judged;
          const found = prefetchQuality({ training, test: judged }, policy, {}, { distance, budget, batch });
          const steps = stepsOf([...judged.sequenceStarts], batch);
          const guesses = guessesOver(policy, {}, contextOf(judged, { training, distance, budget }), steps);
          let [allRight, allGuessed] = [0, 0];
          for (let layer = 0; layer < layers; layer++)
            for (let d = 1; d <= Math.min(distance, layer + 1); d++) {
              let [right, guessed, wanted] = [0, 0, 0];
              for (const [s, rows] of steps.entries()) {
                const named = guesses[s]![layer + 1 - d]!.filter((key) => Math.floor(key / experts) === layer)
                  .slice(0, budget)
                  .map((key) => key % experts);
                const truth = asked(judged, rows, layer);
                guessed += named.length;
                wanted += truth.length;
                right += named.filter((expert) => truth.includes(expert)).length;
              }
              expect(found.precision[layer]![d - 1]).toBe(guessed === 0 ? null : right / guessed);
              expect(found.recall[layer]![d - 1]).toBe(guessed === 0 ? null : right / wanted);
              if (d === 1) [allRight, allGuessed] = [allRight + right, allGuessed + guessed];
            }
          expect(found.precisionByDistance[0]).toBe(allGuessed === 0 ? null : allRight / allGuessed);
        },
      ),
      { numRuns: drawn(15) },
    ),
);

test("a bound is right everywhere, as far as its budget goes", () => {
  const table = routing(1, { rows: 40, none: 0 });
  const all = prefetchQuality({ training: table, test: table }, perfect, {}, { distance: 2 });
  expect(all.recallByDistance).toEqual([1, 1]);
  expect(all.precisionByDistance).toEqual([1, 1]);
  expect(all.recall[0]).toEqual([null, null]);
  const half = prefetchQuality({ training: table, test: table }, perfect, {}, { budget: 1 });
  expect([half.recallByDistance, half.precisionByDistance]).toEqual([[0.5], [1]]);
});

test("a gate with a measured quality is right as often as what was measured", () => {
  const table = routing(2, { rows: 3000, sequences: 30, layers: 4, experts: 12, topK: 3, none: 0 });
  const split = splitSequences(table, 0.5)!;
  const options = { distance: 2, budget: 3 };
  const measured = prefetchQuality(split, layerMarkov, {}, options);
  const quality = readPrefetchQuality(JSON.parse(JSON.stringify(qualityDocument(measured))), "q.json");
  expect(quality).toEqual({ recall: measured.recall, precision: measured.precision });
  const values = valuesOf(gate, { file: "q.json" });
  expect(gate.misfit!(contextOf(table, { distance: 2, quality }), values)).toBeNull();
  const emulated = prefetchQuality(split, gate, values, { ...options, budget: 12, quality });
  for (const [layer, list] of measured.recall.entries())
    for (const [d, recall] of list.entries()) {
      if (recall === null) continue;
      expect(Math.abs(emulated.recall[layer]![d]! - recall)).toBeLessThan(0.04);
      expect(Math.abs(emulated.precision[layer]![d]! - measured.precision[layer]![d]!)).toBeLessThan(0.04);
    }
});

test("a quality that is none is refused with its places", () => {
  const problems = (json: unknown) => {
    try {
      readPrefetchQuality(json, "q.json");
    } catch (error) {
      if (error instanceof InvalidInputError) return error.problems.map(({ at }) => at);
    }
    return [];
  };
  const kind = "prefetch-quality";
  expect(problems({ kind, recall: [[0.5]], precision: [[0.5]] })).toEqual([]);
  expect(problems([])).toEqual(["profile"]);
  expect(problems({ kind: "device", recall: [[0.5]], precision: [[0.5]] })).toEqual(["kind"]);
  expect(problems({ kind, recall: [[1.5]], precision: [["a"]] })).toEqual(["recall.0.0", "precision.0.0"]);
  expect(problems({ kind, recall: [[0.5], [0.5]], precision: [[0.5]] })).toEqual(["precision"]);
  expect(problems({ kind, recall: [[0.5, 0.5]], precision: [[0.5]] })).toEqual(["precision"]);
});
