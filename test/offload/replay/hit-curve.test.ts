import fc from "fast-check";
import { expect, test } from "vitest";
import { optimumHitCurve } from "../../../src/policy/cache/optimum-curve.ts";
import { cacheFor, replayCalls } from "../../../src/offload/replay/replay-calls.ts";
import type { RoutedCalls } from "../../../src/offload/replay/routed-calls.ts";
import { routedCalls } from "../../../src/offload/replay/routed-calls.ts";
import { belady } from "../../../src/policy/cache/belady.ts";
import type { CacheScope } from "../../../src/policy/cache/cache-scope.ts";
import { createScopedCache } from "../../../src/policy/cache/cache-scope.ts";
import { type CachePolicy, configured } from "../../../src/policy/cache/expert-cache.ts";
import { lruHitCurve, sumOfCurves } from "../../../src/policy/cache/hit-curve.ts";
import { lru } from "../../../src/policy/cache/lru.ts";
import { layerLruCurve } from "../../../src/trace/stats/lru-curve.ts";
import { drawn } from "../../drawn.ts";
import { anyTable } from "./tables.ts";

const scopes = fc.constantFrom<CacheScope>("layer", "global");
const bypassing = configured(belady, { bypass: true, loaded: false });

/** Hits with so many slots of each cache, by replaying. */
function replayed(policy: CachePolicy, calls: RoutedCalls, scope: CacheScope, slots: number): number {
  const cache = createScopedCache(policy, scope, {
    layers: calls.layers,
    expertsPerLayer: calls.experts,
    slots,
    popularity: null,
    future: policy.needs.includes("future") ? calls : null,
  });
  return replayCalls(calls, cache).hits;
}

test.each([
  ["LRU", lru, (calls: RoutedCalls, scope: CacheScope) => lruHitCurve(calls, scope)],
  ["Belady", belady, (calls: RoutedCalls, scope: CacheScope) => optimumHitCurve(calls, scope, "mandatory")],
  [
    "Belady that may bypass",
    bypassing,
    (calls: RoutedCalls, scope: CacheScope) => optimumHitCurve(calls, scope, "free"),
  ],
] as const)("the curve of %s is that of a replay at every size where it holds", (_name, policy, curveOf) => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 4 }), scopes, (table, batch, scope) => {
      const calls = routedCalls(table, batch);
      const curve = curveOf(calls, scope);
      expect(curve.hits).toHaveLength((scope === "layer" ? 1 : table.layers) * table.experts + 1);
      for (let slots = 0; slots < curve.hits.length; slots++)
        if (slots < curve.from) expect(curve.hits[slots]).toBeNaN();
        else expect(curve.hits[slots]).toBe(replayed(policy, calls, scope, slots));
      expect(curve.hits.at(-1)! + curve.coldMisses).toBe(calls.keys.length);
    }),
    { numRuns: drawn(150) },
  );
});

test("curves never fall, and the optimum with admission at will is never below the one without, nor that below LRU", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 4 }), (table, batch) => {
      const calls = routedCalls(table, batch);
      const [recent, must, free] = [
        lruHitCurve(calls, "layer"),
        optimumHitCurve(calls, "layer", "mandatory"),
        optimumHitCurve(calls, "layer", "free"),
      ];
      for (let slots = 0; slots < recent.hits.length; slots++) {
        expect(free.hits[slots]).toBeGreaterThanOrEqual(recent.hits[slots]!);
        if (slots > 0) expect(free.hits[slots]).toBeGreaterThanOrEqual(free.hits[slots - 1]!);
        if (slots < must.from) continue;
        expect(must.hits[slots]).toBeGreaterThanOrEqual(recent.hits[slots]!);
        expect(free.hits[slots]).toBeGreaterThanOrEqual(must.hits[slots]!);
        if (slots > must.from) expect(must.hits[slots]).toBeGreaterThanOrEqual(must.hits[slots - 1]!);
      }
    }),
  );
});

test("a cache one slot too small for a call may hit more than one that just holds it: no list holds both", () => {
  // With 2 slots a call of two pushes out expert 0, which comes next; with 1 slot it streams and need not.
  const keys = [0, 1, 2, 0, 3, 4, 0, 5, 6, 0];
  const starts = [0, 1, 3, 4, 6, 7, 9, 10];
  const calls: RoutedCalls = {
    layers: 1,
    experts: 7,
    keys: Uint32Array.from(keys),
    starts: Uint32Array.from(starts),
    calls: starts.length - 1,
    tokens: new Uint16Array(keys.length).fill(1),
    weights: null,
    sequenceCalls: [0],
    rows: 7,
    choices: keys.length,
    callMax: 2,
  };
  expect(replayed(belady, calls, "layer", 1)).toBe(3);
  expect(replayed(belady, calls, "layer", 2)).toBe(0);
  expect(optimumHitCurve(calls, "layer", "mandatory").from).toBe(2);
});

test("for one sequence the LRU curve is that of `trace stats`; curves of several traces add up", () => {
  fc.assert(
    fc.property(anyTable, (table) => {
      const one = { ...table, sequenceStarts: Uint32Array.of(0, table.rows) };
      const curve = lruHitCurve(routedCalls(one, 1), "layer");
      for (let slots = 0; slots <= table.experts; slots++) {
        let hits = 0;
        for (let layer = 0; layer < table.layers; layer++) hits += layerLruCurve(one, layer).hits[slots]!;
        expect(curve.hits[slots]).toBe(hits);
      }
      const twice = sumOfCurves([curve, curve]);
      expect(twice.accesses).toBe(2 * curve.accesses);
      expect(twice.hits[table.experts]).toBe(2 * curve.hits[table.experts]!);
    }),
    { numRuns: drawn(40) },
  );
});

test("a global cache has as many slots as the layers would have", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 0, max: 9 }), (table, slots) => {
      const calls = routedCalls(table, 1);
      const setup = { scope: "global" as const, slots, popularity: null };
      const curve = lruHitCurve(calls, "global");
      const at = Math.min(curve.hits.length - 1, slots * table.layers);
      expect(replayCalls(calls, cacheFor(lru, calls, setup)).hits).toBe(curve.hits[at]);
    }),
    { numRuns: drawn(40) },
  );
});
