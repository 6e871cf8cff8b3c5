import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admissions } from "../../src/policy/cache/admission/admissions.ts";
import { admitted } from "../../src/policy/cache/admission/admitted.ts";
import { createScopedCache } from "../../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import type { CachePolicy } from "../../src/policy/cache/expert-cache.ts";
import { reserving } from "../../src/policy/cache/reserved.ts";
import { drawn } from "../drawn.ts";
import { callsOf, logOf } from "./call-logs.ts";

const layers = 3;
const experts = 5;
const objects = layers * experts;
const passes = fc
  .array(fc.tuple(fc.nat(layers - 1), fc.uniqueArray(fc.nat(experts - 1), { minLength: 1, maxLength: 4 })), {
    maxLength: 40,
  })
  .map((calls) => calls.map(([layer, ids]) => ids.map((id) => layer * experts + id)));
/** Up to one expert of each layer in each of the two sets. */
const reservations = fc
  .tuple(...Array.from({ length: 2 * layers }, () => fc.option(fc.nat(experts - 1))))
  .map((choices) => {
    const keys = choices.map((id, i) => (id === null ? -1 : (i % layers) * experts + id));
    const keep = keys.slice(0, layers).filter((key) => key >= 0);
    return { keep, protect: keys.slice(layers).filter((key) => key >= 0 && !keep.includes(key)) };
  });
const policies = Object.values(cachePolicies) as CachePolicy[];
const popularity = Float64Array.from({ length: objects }, (_, key) => (key * 7) % 11);

describe.each(policies)("$name", (policy) => {
  const scopes = policy.needs.includes("layers") ? (["global"] as const) : (["layer", "global"] as const);

  test.each(scopes)(
    "with scope %s serves the other experts as it does in a cache without the reserved ones",
    (scope) => {
      fc.assert(
        fc.property(
          passes,
          reservations,
          fc.integer({ min: 2, max: experts }),
          fc.boolean(),
          (calls, reserved, perLayer, filters) => {
            const slots = scope === "layer" ? perLayer : perLayer * layers;
            const admission =
              filters && !policy.needs.includes("future") ? { admission: admissions.fitting, values: {} } : null;
            const log = logOf(calls);
            const all = [...reserved.keep, ...reserved.protect];
            const shape = { layers, expertsPerLayer: experts };
            const cache = createScopedCache(reserving(admitted(policy, admission), reserved), scope, {
              ...shape,
              slots,
              popularity,
              future: log,
            });
            // The same cache with fewer slots, asked for the others alone.
            const others = logOf(calls.map((keys) => keys.filter((key) => !all.includes(key))));
            const inLayer = (layer: number) => all.filter((key) => Math.floor(key / experts) === layer).length;
            const alone = createScopedCache(admitted(policy, admission), scope, {
              ...shape,
              slots: slots - all.length,
              slotsPerLayer: Array.from({ length: layers }, (_, layer) => slots - inLayer(layer)),
              popularity: popularity.map((uses, key) => (all.includes(key) ? -1 : uses)),
              future: others,
            });
            const hit = new Uint8Array(objects);
            const hitAlone = new Uint8Array(objects);
            const weights = new Float64Array(objects).fill(1);
            const seen = new Set<number>(reserved.keep);
            callsOf(log).forEach((keys, call) => {
              cache.call(log.keys, log.starts[call]!, log.starts[call + 1]!, hit, weights);
              const [from, to] = [others.starts[call]!, others.starts[call + 1]!];
              alone.call(others.keys, from, to, hitAlone, weights);
              const expected = keys.map((key) =>
                all.includes(key) ? Number(seen.has(key)) : hitAlone[others.keys.subarray(from, to).indexOf(key)]!,
              );
              expect([...hit.subarray(0, keys.length)]).toEqual(expected);
              for (const key of keys) seen.add(key);
              expect(cache.resident).toBeLessThanOrEqual(cache.capacity);
              for (const key of all) expect(cache.contains(key)).toBe(seen.has(key));
            });
            expect(cache.capacity).toBe(scope === "layer" ? layers * slots : slots);
          },
        ),
        { numRuns: drawn(30) },
      );
    },
  );
});

test("a kept expert always hits, and a protected one from its second use on", () => {
  fc.assert(
    fc.property(passes, (calls) => {
      const policy = reserving(cachePolicies.lru, { keep: [0], protect: [1] });
      const cache = policy.create({ objects, capacity: 2, popularity: null, future: null });
      const hit = new Uint8Array(objects);
      let used = false;
      for (const keys of calls) {
        cache.call(Uint32Array.from(keys), 0, keys.length, hit);
        if (keys.includes(0)) expect(hit[keys.indexOf(0)]).toBe(1);
        if (keys.includes(1)) expect(hit[keys.indexOf(1)]).toBe(used ? 1 : 0);
        used ||= keys.includes(1);
      }
    }),
  );
});

test("a reserved expert is prefetched into its own slot, and dropped from it", () => {
  const policy = reserving(cachePolicies.lru, { keep: [], protect: [1] });
  const cache = policy.create({ objects, capacity: 2, popularity: null, future: null });
  const none = new Uint8Array(objects);
  cache.call(Uint32Array.of(5), 0, 1, new Uint8Array(1));
  expect(cache.insert(1, none.fill(1))).toBe(true);
  expect([cache.contains(1), cache.contains(5), cache.resident]).toEqual([true, true, 2]);
  cache.drop(1);
  expect([cache.contains(1), cache.contains(5), cache.resident]).toEqual([false, true, 1]);
  expect(cache.insert(6, none.fill(0))).toBe(true);
  expect([cache.contains(5), cache.contains(6)]).toEqual([false, true]);
});

test("more reserved experts than slots are refused, and a policy without any is itself", () => {
  expect(() =>
    reserving(cachePolicies.lru, { keep: [0, 1], protect: [2] }).create({
      objects,
      capacity: 2,
      popularity: null,
      future: null,
    }),
  ).toThrow(/reserved-slots/);
  expect(reserving(cachePolicies.lru, { keep: [], protect: [] })).toBe(cachePolicies.lru);
});
