import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batch } from "../../../src/policy/prefetch/batch.ts";
import { gate } from "../../../src/policy/prefetch/gate.ts";
import { perfect } from "../../../src/policy/prefetch/perfect.ts";
import { preGated } from "../../../src/policy/prefetch/pre-gated.ts";
import { prefetchQuality } from "../../../src/policy/prefetch/prefetch-quality.ts";
import type { PrefetchPolicy } from "../../../src/policy/prefetch/prefetcher.ts";
import { drawn } from "../../drawn.ts";
import { contextOf, guessesOver, routing, valuesOf } from "./prefetch-cases.ts";

const steps = [[0], [1, 30], [2, 31, 50], [3]];
const long = routing(5, { rows: 3000, layers: 3, experts: 16, topK: 4 });
const measured = (policy: PrefetchPolicy, values: object, distance = 1, budget = 16) =>
  prefetchQuality({ training: long, test: long }, policy, valuesOf(policy, values), { distance, budget, seed: 9 });

/** Within five standard deviations of a share of `trials`. */
function expectShare(found: number | null, share: number, trials: number): void {
  expect(Math.abs(found! - share)).toBeLessThanOrEqual(5 * Math.sqrt((share * (1 - share)) / trials) + 1e-9);
}

describe("gate", () => {
  test("that is always right is perfect, in the same order", () =>
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 4 }), (seed, distance) => {
        const context = contextOf(routing(seed), { distance });
        const bound = guessesOver(perfect, {}, context, steps);
        expect(guessesOver(gate, { recall: 1, precision: 1 }, context, steps)).toEqual(bound);
        expect(guessesOver(gate, { recall: 1 }, context, steps)).toEqual(bound);
      }),
      { numRuns: drawn(20) },
    ));

  test("that is never right guesses as many as are asked for, in expectation, and none of them", () => {
    const { recallByDistance, precisionByDistance } = measured(gate, { recall: 0 });
    expect(recallByDistance).toEqual([0]);
    expect(precisionByDistance).toEqual([0]);
    const context = contextOf(long);
    const rows = Array.from({ length: 1000 }, (_, row) => [row]);
    const counts = guessesOver(gate, { recall: 0, precision: 0 }, context, rows).map((step) => step.flat().length);
    const askedFor = guessesOver(perfect, {}, context, rows).map((step) => step.flat().length);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    expect(Math.abs(sum(counts) / sum(askedFor) - 1)).toBeLessThan(0.05);
  });

  test.each([
    [0.3, 0.3],
    [0.8, 0.8],
    [0.9, 0.5],
    [0.5, 0.95],
    [1, 0.4],
  ])("has recall %f and precision %f in expectation", (recall, precision) => {
    const { recallByDistance, precisionByDistance } = measured(gate, { recall, precision }, 2);
    for (const d of [0, 1]) {
      expectShare(recallByDistance[d]!, recall, 3000 * 4 * (2 - d));
      expectShare(precisionByDistance[d]!, precision, (3000 * 4 * recall * (2 - d)) / precision);
    }
  });

  test("keeps its precision under a budget", () => {
    const { precisionByDistance } = measured(gate, { recall: 0.7, precision: 0.6 }, 1, 2);
    expect(Math.abs(precisionByDistance[0]! - 0.6)).toBeLessThan(0.03);
  });

  test("takes a matrix by guessed layer and distance, or a list by distance", () => {
    const matrix = [[], [0.9], [0.6, 0.2]];
    const found = measured(gate, { recall: matrix }, 2).recall;
    for (const [layer, list] of matrix.entries())
      for (const [d, share] of list.entries()) expectShare(found[layer]![d]!, share, 12_000);
    const listed = measured(gate, { recall: [0.9, 0.3], precision: 0.8 }, 2);
    expectShare(listed.recallByDistance[1]!, 0.3, 12_000);
    expectShare(listed.precisionByDistance[0]!, 0.8, 24_000);
  });

  test("guesses from afar only what it guesses from near by, where it is surer there", () => {
    const context = contextOf(long, { distance: 2 });
    const found = guessesOver(gate, { recall: [0.9, 0.5], precision: [1, 1] }, context, [[0], [1], [2], [3]]);
    for (const step of found) {
      const near = new Set(step[2]!.filter((key) => key >= 32));
      for (const key of step[1]!.filter((key) => key >= 32)) expect(near).toContain(key);
    }
  });

  test("draws anew for another seed and another cache, and alike for the same", () => {
    const context = contextOf(long);
    const rows = Array.from({ length: 20 }, (_, row) => [row]);
    const of = (seed: number, index: number) =>
      guessesOver(gate, { recall: 0.5 }, { ...context, seed }, rows, { cache: { index, held: null } });
    expect(of(1, 0)).toEqual(of(1, 0));
    expect(of(2, 0)).not.toEqual(of(1, 0));
    expect(of(1, 1)).not.toEqual(of(1, 0));
  });

  test("needs its quality once, and a possible one", () => {
    const problem = (values: object) => gate.contradiction!(valuesOf(gate, values));
    expect(problem({ recall: 0.5 })).toBeNull();
    expect(problem({ preset: "promoe" })).toBeNull();
    expect(problem({})?.key).toBe("recall");
    expect(problem({ recall: 0.5, preset: "fate" })?.key).toBe("recall");
    expect(problem({ file: "a.json", preset: "fate" })?.key).toBe("preset");
    expect(problem({ file: "a.json", precision: 0.5 })?.key).toBe("precision");
    expect(problem({ recall: [0.5, 0.4], precision: [0.5] })?.key).toBe("precision");
    expect(problem({ recall: [[], [0.5]], precision: [0.5, 0.5] })?.key).toBe("precision");
    expect(problem({ recall: 0.5, precision: 0 })?.key).toBe("precision");
    expect(problem({ recall: 0, precision: 0.5 })?.key).toBe("precision");
    expect(problem({ recall: [0.5, 0], precision: 0.5 })?.key).toBe("precision");
    expect(problem({ recall: [0.5, 0], precision: [0.5, 0] })).toBeNull();
  });

  test("fits the model and the distance", () => {
    const problem = (values: object, parts = {}) =>
      gate.misfit!(contextOf(long, { distance: 2, ...parts }), valuesOf(gate, values));
    expect(problem({ recall: 0.5 })).toBeNull();
    expect(problem({ recall: [0.5, 0.4] })).toBeNull();
    expect(problem({ recall: [0.5] })?.expected).toContain("2 numbers");
    expect(problem({ recall: [[], [0.5], [0.5, 0.5]] })).toBeNull();
    expect(problem({ recall: [[], [0.5]] })?.expected).toContain("3 lists");
    expect(problem({ recall: [[], [0.5], [0.5]] })?.expected).toContain("lists of 2");
    expect(problem({ preset: "promoe" })).toBeNull();
    expect(problem({ preset: "daop" })?.key).toBe("preset");
    const file = { file: "a.json" };
    const list = [null, 0.5];
    expect(problem(file, { quality: { recall: [list, list, list], precision: [list, list, list] } })).toBeNull();
    expect(problem(file, { quality: { recall: [list], precision: [list] } })?.expected).toContain("3 recorded");
    expect(problem(file, { quality: { recall: [[1], [1], [1]], precision: [] } })?.expected).toContain("2 layers");
  });

  test("guesses nothing where nothing was measured", () => {
    const quality = { recall: [[null], [null], [0.5]], precision: [[null], [null], [0.5]] };
    const found = guessesOver(gate, { file: "a.json" }, contextOf(long, { quality }), [[0], [1], [2], [3]]);
    expect(found.flatMap((step) => step[1]!)).toEqual([]);
    expect(found.flatMap((step) => step[2]!).length).toBeGreaterThan(0);
  });

  test("has the recall and the precision of a file", () => {
    const quality = { recall: [[null], [0.9], [0.4]], precision: [[null], [0.5], [0.8]] };
    const found = prefetchQuality({ training: long, test: long }, gate, valuesOf(gate, { file: "a.json" }), {
      budget: 16,
      quality,
    });
    for (const layer of [1, 2])
      for (const figure of ["recall", "precision"] as const)
        expect(Math.abs(found[figure][layer]![0]! - quality[figure][layer]![0]!)).toBeLessThan(0.03);
  });

  test("takes the time of its preset", () => {
    expect(gate.latencyNs(valuesOf(gate, { preset: "promoe" }))).toBe(200_000);
    expect(gate.latencyNs(valuesOf(gate, { recall: 1 }))).toBe(0);
  });
});

test("pre-gated is perfect one layer ahead, however far the run looks", () => {
  const table = routing(8);
  const near = guessesOver(perfect, {}, contextOf(table, { distance: 1 }), steps);
  expect(guessesOver(preGated, {}, contextOf(table, { distance: 3 }), steps)).toEqual(near);
});

describe("batch", () => {
  test("guesses all layers before the step, with its rates", () => {
    const rows = Array.from({ length: 1000 }, (_, row) => [row]);
    const context = contextOf(long);
    const found = guessesOver(batch, { truePositives: 0.8, falsePositives: 0.1 }, context, rows);
    const truth = guessesOver(batch, { truePositives: 1, falsePositives: 0 }, context, rows);
    let right = 0;
    let wrong = 0;
    let positives = 0;
    for (const [s, step] of found.entries()) {
      expect(step.slice(1).flat()).toEqual([]);
      const isAsked = new Set(truth[s]![0]);
      positives += isAsked.size;
      for (const key of step[0]!)
        if (isAsked.has(key)) right++;
        else wrong++;
    }
    const others = 1000 * 3 * 16 - positives;
    expectShare(right / positives, 0.8, positives);
    expectShare(wrong / others, 0.1, others);
  });

  test("without false positives given misses as many as it adds", () => {
    const { recallByDistance, precisionByDistance } = measured(batch, { truePositives: 0.7 }, 3);
    for (const share of [...recallByDistance, ...precisionByDistance])
      expect(Math.abs(share! - 0.7)).toBeLessThan(0.03);
  });
});
