import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CacheScope, createScopedCache } from "../../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { CallLogRecorder, replayLog } from "../../src/policy/cache/call-log.ts";
import type { CachePolicy, CallLog } from "../../src/policy/cache/expert-cache.ts";
import { callsOf, logOf } from "./call-logs.ts";

const layers = 3;
const expertsPerLayer = 6;
const shape = { layers, expertsPerLayer };

/** Calls that each stay in one layer. */
const layeredCalls = fc.array(
  fc
    .tuple(fc.nat(layers - 1), fc.uniqueArray(fc.nat(expertsPerLayer - 1), { maxLength: 4 }))
    .map(([layer, experts]) => experts.map((expert) => layer * expertsPerLayer + expert)),
  { maxLength: 80 },
);

const usesOf = (log: CallLog): Float64Array => {
  const uses = new Float64Array(layers * expertsPerLayer);
  for (const key of log.keys) uses[key] = (uses[key] ?? 0) + 1;
  return uses;
};

/** Without those that rank by router weights, which these calls do not have. */
const policies = (Object.values(cachePolicies) as CachePolicy[]).filter(({ needs }) => !needs.includes("weights"));

describe.each(policies)("$name", (policy) => {
  test.skipIf(policy.needs.includes("layers"))("under layer scope behaves as independent caches, one per layer", () => {
    fc.assert(
      fc.property(layeredCalls, fc.integer({ min: 1, max: expertsPerLayer }), (calls, slots) => {
        const log = logOf(calls);
        const popularity = usesOf(log);
        const cache = createScopedCache(policy, "layer", { ...shape, slots, popularity, future: log });
        let hits = 0;
        let resident = 0;
        for (let layer = 0; layer < layers; layer++) {
          const base = layer * expertsPerLayer;
          const own = logOf(
            calls
              .filter((keys) => Math.floor((keys[0] ?? 0) / expertsPerLayer) === layer)
              .map((keys) => keys.map((key) => key - base)),
          );
          const single = policy.create({
            objects: expertsPerLayer,
            capacity: slots,
            popularity: popularity.slice(base, base + expertsPerLayer),
            future: own,
            seed: layer,
          });
          hits += replayLog(own, single).hits;
          resident += single.resident;
        }
        expect(replayLog(log, cache).hits).toBe(hits);
        expect(cache.resident).toBe(resident);
        expect(cache.capacity).toBe(layers * slots);
      }),
    );
  });

  test("under global scope shares its slots between layers", () => {
    const calls = Array.from({ length: 9 }, () => [7, 8, 6]);
    const log = logOf(calls);
    const input = { ...shape, slots: 3, popularity: usesOf(log), future: log };
    const cache = createScopedCache(policy, "global", input);
    expect(replayLog(log, cache).misses).toBe(policy.needs.includes("popularity") ? 0 : 3);
    expect(cache.capacity).toBe(3);
    expect(cache.contains(8)).toBe(true);
  });
});

test("a layer cache takes nothing from an empty call and contains no unknown expert", () => {
  const cache = createScopedCache(cachePolicies.lru, "layer", { ...shape, slots: 2, popularity: null, future: null });
  expect(cache.call(Uint32Array.from([1]), 1, 1, new Uint8Array(1))).toBe(0);
  expect(cache.contains(layers * expertsPerLayer)).toBe(false);
});

/** Hit rate of a static cache that is fitted on the log itself. */
function staticHitRate(log: CallLog, scope: CacheScope, slots: number): number {
  const input = { ...shape, slots, popularity: usesOf(log), future: null };
  const { accesses, hits } = replayLog(log, createScopedCache(cachePolicies.static, scope, input));
  return accesses === 0 ? 0 : hits / accesses;
}

test("a static cache fitted on the log itself hits as often as its most used experts are used", () => {
  fc.assert(
    fc.property(
      layeredCalls,
      fc.constantFrom("layer" as const, "global" as const),
      fc.nat(7),
      (calls, scope, slots) => {
        const log = logOf(calls);
        const uses = usesOf(log);
        const group = scope === "global" ? uses.length : expertsPerLayer;
        let hits = 0;
        for (let base = 0; base < uses.length; base += group) {
          const mostUsed = uses.slice(base, base + group).sort((x, y) => y - x);
          for (const count of mostUsed.slice(0, slots)) hits += count;
        }
        const accesses = uses.reduce((total, count) => total + count, 0);
        expect(staticHitRate(log, scope, slots)).toBeCloseTo(accesses === 0 ? 0 : hits / accesses, 12);
      },
    ),
  );
});

test("the static set fitted on the log itself is at least as good as any other fixed set", () => {
  const calls = [[0, 1], [0, 2], [6, 7], [0, 1], [12]];
  const log = logOf(calls);
  const accessed = calls.flat();
  for (let a = 0; a < usesOf(log).length; a++)
    for (let b = 0; b < a; b++) {
      const hits = accessed.filter((key) => key === a || key === b).length;
      expect(staticHitRate(log, "global", 2)).toBeGreaterThanOrEqual(hits / accessed.length);
    }
  // Two slots per layer: {0, 1 or 2}, {6, 7}, {12}: 5 or 4 + 2 + 1 of 9 accesses.
  expect(staticHitRate(log, "layer", 2)).toBeCloseTo(8 / 9, 12);
  // Two slots in all: 0 (three uses) and 1 (two uses).
  expect(staticHitRate(log, "global", 2)).toBeCloseTo(5 / 9, 12);
});

test("a recorder keeps every call until its limit, then a gapless prefix", () => {
  fc.assert(
    fc.property(layeredCalls, fc.nat(200), (calls, accessesMax) => {
      const recorder = new CallLogRecorder(accessesMax);
      const kept: number[][] = [];
      for (const keys of calls) {
        const padded = Uint32Array.from([99, ...keys, 99]);
        recorder.record(padded, 1, keys.length + 1, keys.length);
        if (!recorder.stopped) kept.push(keys);
      }
      const log = recorder.toLog();
      expect(callsOf(log)).toEqual(kept);
      expect(recorder.accesses).toBe(kept.flat().length);
      expect(recorder.hits).toBe(kept.flat().length);
      expect(recorder.stopped).toBe(calls.flat().length > accessesMax);
    }),
  );
});

test("a recorder grows far beyond its first buffers", () => {
  const recorder = new CallLogRecorder(1_000_000);
  for (let call = 0; call < 5000; call++) recorder.record(Uint32Array.from([call, call + 1, call + 2]), 0, 3, 0);
  const log = recorder.toLog();
  expect(log.calls).toBe(5000);
  expect([...log.keys.subarray(14_997)]).toEqual([4999, 5000, 5001]);
});
