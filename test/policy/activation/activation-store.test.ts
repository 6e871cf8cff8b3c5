import fc from "fast-check";
import { expect, test } from "vitest";
import { ActivationStore } from "../../../src/policy/activation/activation-store.ts";
import { RunningMatch } from "../../../src/policy/activation/running-match.ts";

const shape = { layers: 3, expertsPerLayer: 4 };
const size = shape.layers * shape.expertsPerLayer;
const matrices = fc.array(fc.array(fc.nat(3), { minLength: size, maxLength: size }), { maxLength: 8 });
const observations = fc.array(fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: 3 })), { maxLength: 20 });

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const cosineOf = (a: readonly number[], b: readonly number[]): number => {
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  return norms === 0 ? 0 : dot(a, b) / norms;
};
const row = (matrix: readonly number[], layer: number): number[] => matrix.slice(layer * 4, (layer + 1) * 4);
const meanCosine = (a: readonly number[], b: readonly number[], from: number, to: number): number => {
  let sum = 0;
  for (let layer = from; layer < to; layer++) sum += cosineOf(row(a, layer), row(b, layer));
  return sum / (to - from);
};

test("similarities are the cosines of the matrices, whenever entries came and whatever they replaced", () => {
  fc.assert(
    fc.property(matrices, observations, fc.nat(20), (entries, seen, before) => {
      const store = new ActivationStore(shape, 3, "least-matched");
      const match = new RunningMatch(store);
      const observed = Array.from({ length: size }, () => 0);
      const kept: number[][] = [];
      seen.forEach(([key, amount], i) => {
        if (i === before) for (const entry of entries) kept[store.insert(entry)] = entry;
        observed[key]! += amount;
        match.add(key, amount);
      });
      expect([...match.observed]).toEqual(observed);
      expect(store.size).toBe(kept.length);
      for (const [place, entry] of kept.entries())
        for (let to = 1; to <= shape.layers; to++) {
          expect(match.trajectory(place, to)).toBeCloseTo(
            cosineOf(observed.slice(0, to * 4), entry.slice(0, to * 4)),
            12,
          );
          for (let from = 0; from < to; from++)
            expect(match.layerwise(place, from, to)).toBeCloseTo(meanCosine(observed, entry, from, to), 12);
        }
    }),
  );
});

test("a cleared match has observed nothing", () => {
  const store = new ActivationStore(shape, 2, "least-matched");
  store.insert([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
  const match = new RunningMatch(store);
  match.add(0, 2);
  expect(match.layerwise(0, 0, 1)).toBe(1);
  match.clear();
  expect(match.layerwise(0, 0, 1)).toBe(0);
  match.add(1, 1);
  expect(match.layerwise(0, 0, 1)).toBe(0);
  match.add(0, 1);
  expect(match.layerwise(0, 0, 1)).toBeCloseTo(Math.SQRT1_2, 12);
});

test("the best match is the most similar entry, the first of equal ones", () => {
  fc.assert(
    fc.property(matrices, observations, (entries, seen) => {
      const store = new ActivationStore(shape, 8, "least-matched");
      for (const entry of entries) store.insert(entry);
      const match = new RunningMatch(store);
      for (const [key, amount] of seen) match.add(key, amount);
      const all = entries.map((_, place) => match.layerwise(place, 0, 2));
      const most = Math.max(...all);
      const best = match.bestLayerwise(0, 2);
      expect(best).toEqual(entries.length === 0 ? null : { place: all.indexOf(most), similarity: most });
      const paths = entries.map((_, place) => match.trajectory(place, 2));
      expect(match.bestTrajectory(2)?.place).toBe(entries.length === 0 ? undefined : paths.indexOf(Math.max(...paths)));
    }),
  );
});

const one = (key: number): number[] => Array.from({ length: size }, (_, at) => (at === key ? 1 : 0));

test("a full store replaces the entry that its rule names", () => {
  const least = new ActivationStore(shape, 2, "least-matched");
  least.insert(one(0));
  least.insert(one(1));
  const match = new RunningMatch(least);
  match.add(0, 1);
  expect(match.bestLayerwise(0, 1)).toEqual({ place: 0, similarity: 1 });
  expect(least.insert(one(2))).toBe(1);
  expect(least.insert(one(3))).toBe(1);

  // By layers, [2 | 1] is nearer to [1 | 0] of two rows than [0 | 9] is; as one vector, the large second row decides.
  const newcomer = [1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
  const similar = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const path = [0, 1, 0, 0, 8, 6, 0, 0, 0, 0, 0, 0];
  const layers = new ActivationStore(shape, 2, "most-similar");
  const trajectories = new ActivationStore(shape, 2, "nearest-trajectory");
  for (const store of [layers, trajectories]) {
    store.insert(similar);
    store.insert(path);
  }
  expect(meanCosine(newcomer, similar, 0, 3)).toBeGreaterThan(meanCosine(newcomer, path, 0, 3));
  expect(cosineOf(newcomer, similar)).toBeLessThan(cosineOf(newcomer, path));
  expect(layers.insert(newcomer)).toBe(0);
  expect(trajectories.insert(newcomer)).toBe(1);
});

test("a store without room keeps nothing", () => {
  const store = new ActivationStore(shape, 0, "most-similar");
  expect(store.insert(one(0))).toBe(-1);
  expect(new RunningMatch(store).bestTrajectory(3)).toBeNull();
});
