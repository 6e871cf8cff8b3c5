import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accessesAtDepth,
  addCurves,
  globalLruCurve,
  hitRate,
  layerLruCurve,
  lruCurve,
} from "../../../src/trace/stats/lru-curve.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import { RecencyStack } from "../../../src/trace/stats/recency-stack.ts";
import { markovRouting, tableOf } from "../markov-routing.ts";

const sizes = fc.record({ experts: fc.integer({ min: 2, max: 9 }), rows: fc.integer({ min: 1, max: 60 }) });

/** Random events of distinct experts. */
const traces = sizes.chain(({ experts, rows }) =>
  fc.integer({ min: 1, max: Math.min(3, experts) }).chain((topK) =>
    fc.record({
      experts: fc.constant(experts),
      topK: fc.constant(topK),
      events: fc.array(
        fc.shuffledSubarray(
          Array.from({ length: experts }, (_, expert) => expert),
          { minLength: topK, maxLength: topK },
        ),
        { minLength: rows, maxLength: rows },
      ),
      sequenceTokens: fc.integer({ min: 1, max: 30 }),
    }),
  ),
);

/** One cache of one size as an array: hits judged at the start of the event, then all its keys touched in order. */
function naiveHits(events: readonly (readonly number[])[], capacity: number, emptyBefore: (event: number) => boolean) {
  let cache: number[] = [];
  let hits = 0;
  for (const [index, event] of events.entries()) {
    if (emptyBefore(index)) cache = [];
    hits += event.filter((key) => cache.includes(key)).length;
    for (const key of event)
      cache = [...cache.filter((other) => other !== key), key].slice(-capacity || cache.length + 1);
    if (capacity === 0) cache = [];
  }
  return hits;
}

describe("the LRU curve", () => {
  test("gives at every size the hits of an event-atomic LRU cache of that size", () => {
    fc.assert(
      fc.property(traces, ({ experts, topK, events, sequenceTokens }) => {
        const table = tableOf(Uint8Array.from(events.flat()), { experts, topK, layers: 1, sequenceTokens });
        const curve = lruCurve(table.ids, table.rows, topK, experts, table.sequenceStarts);
        for (let capacity = 0; capacity <= experts; capacity++)
          expect(curve.hits[capacity]).toBe(naiveHits(events, capacity, (row) => row % sequenceTokens === 0));
        expect(curve.accesses).toBe(events.length * topK);
        expect(curve.hits[experts]! + curve.coldMisses).toBe(curve.accesses);
      }),
    );
  });

  test("of one cache for all layers is that of a cache of (layer, expert) keys", () => {
    const table = markovRouting({
      experts: 7,
      topK: 2,
      layers: 3,
      domains: 1,
      sequences: 2,
      sequenceTokens: 40,
      keep: 0.4,
      follow: 0.2,
      seed: 1,
    });
    const events = Array.from({ length: table.rows * table.layers }, (_, event) =>
      Array.from(table.ids.subarray(event * 2, event * 2 + 2), (expert) => (event % 3) * 7 + expert),
    );
    const curve = globalLruCurve(table);
    for (let capacity = 0; capacity <= 21; capacity++)
      expect(curve.hits[capacity]).toBe(naiveHits(events, capacity, (event) => event % (40 * 3) === 0));
  });

  test("at topK slots counts what adjacent tokens share", () => {
    const table = markovRouting({
      experts: 16,
      topK: 3,
      layers: 2,
      domains: 1,
      sequences: 4,
      sequenceTokens: 50,
      keep: 0.5,
      follow: 0.1,
      seed: 2,
    });
    for (const layer of [0, 1]) {
      const { pairs, share } = overlapAtLag(table, layer, 1);
      expect(layerLruCurve(table, layer).hits[3]).toBeCloseTo(share * pairs * 3, 6);
    }
  });

  test("of two layers adds up, and never falls with size", () => {
    const table = markovRouting({
      experts: 32,
      topK: 4,
      layers: 2,
      domains: 1,
      sequences: 3,
      sequenceTokens: 100,
      keep: 0.3,
      follow: 0.3,
      seed: 3,
    });
    const curves = [layerLruCurve(table, 0), layerLruCurve(table, 1)];
    const sum = addCurves(curves);
    expect(sum.accesses).toBe(2 * table.rows * 4);
    for (let size = 1; size <= 32; size++) {
      expect(sum.hits[size]).toBe(curves[0]!.hits[size]! + curves[1]!.hits[size]!);
      expect(sum.hits[size]!).toBeGreaterThanOrEqual(sum.hits[size - 1]!);
    }
    expect(accessesAtDepth(sum).reduce((total, count) => total + count, 0)).toBe(sum.accesses);
    expect(hitRate(sum, 32)).toBe(hitRate(sum, 1000));
  });
});

test.each([
  [40, 5000],
  [1500, 14_000],
])("the recency stack of %i keys counts the distinct keys since a touch, across compactions", (keys, steps) => {
  const stack = new RecencyStack(keys);
  let order: number[] = [];
  let key = 0;
  for (let step = 0; step < steps; step++) {
    key = (key * 7 + step * 3 + (step >> 3)) % keys;
    if (keys === 40 || step % 13 === 0) expect(stack.distance(key)).toBe(order.indexOf(key));
    stack.touch(key);
    order = [key, ...order.filter((other) => other !== key)];
  }
  stack.clear();
  expect(stack.distance(0)).toBe(-1);
});
