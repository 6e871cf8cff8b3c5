import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { AdmissionChoice } from "../../src/policy/cache/admission/admission.ts";
import { admissions } from "../../src/policy/cache/admission/admissions.ts";
import { admitted } from "../../src/policy/cache/admission/admitted.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import { type CachePolicy, configured } from "../../src/policy/cache/expert-cache.ts";
import { drawn } from "../drawn.ts";
import { anyCalls, logOf, skewedCalls } from "./call-logs.ts";
import { fewestMisses } from "./fewest-misses.ts";
import { naiveCaches } from "./naive-caches.ts";

const experts = 12;
const contextOf = (calls: readonly number[][], capacity: number, base = 0) => ({
  objects: experts,
  base,
  capacity,
  popularity: Float64Array.from({ length: experts }, (_, key) => (key * 7) % experts),
  future: logOf(calls),
});
const missesOf = (policy: CachePolicy, calls: readonly number[][], capacity: number) =>
  replayLog(logOf(calls), policy.create(contextOf(calls, capacity))).misses;

const fitting: AdmissionChoice = { admission: admissions.fitting, values: {} };
const reused = (uses: number, window?: number): AdmissionChoice => ({
  admission: admissions.reused,
  values: { uses, window },
});
const free = configured(cachePolicies.belady, { bypass: true, loaded: false });

const calls = fc.oneof(anyCalls(experts), skewedCalls(experts));
const slots = fc.nat(experts + 1);
const choice = fc.oneof(
  fc.constant(fitting),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }))
    .map(([uses, window]) => reused(uses, window)),
);

/** The rule of an admission over all calls up to the one that is judged, the last. */
function mayEnter({ admission, values }: AdmissionChoice, past: readonly number[][], capacity: number, key: number) {
  const call = past.at(-1) ?? [];
  if (admission.name === "fitting") return call.length <= capacity;
  const { uses, window } = values as { uses: number; window?: number };
  return past.slice(-(window ?? past.length)).filter((keys) => keys.includes(key)).length >= uses;
}

test.each(["lru", "fifo", "lfu"] as const)("%s sees what is admitted and what it holds, and nothing else", (name) => {
  fc.assert(
    fc.property(calls, slots, choice, fc.constantFrom(0, 500), (all, capacity, admission, base) => {
      const cache = admitted(cachePolicies[name], admission).create(contextOf(all, capacity, base));
      const naive = naiveCaches[name](contextOf(all, capacity));
      const hit = new Uint8Array(experts);
      all.forEach((keys, call) => {
        const held = keys.map((key) => (naive.contains(key) ? 1 : 0));
        const seen = keys.filter(
          (key) => naive.contains(key) || mayEnter(admission, all.slice(0, call + 1), capacity, key),
        );
        naive.call(Uint32Array.from(seen), 0, seen.length, new Uint8Array(experts));
        const hits = cache.call(Uint32Array.from([99, ...keys.map((key) => base + key)]), 1, keys.length + 1, hit);
        expect([...hit.subarray(0, keys.length)]).toEqual(held);
        expect(hits).toBe(held.filter((bit) => bit === 1).length);
        expect(cache.resident).toBe(naive.resident);
        for (let key = 0; key < experts; key++) expect(cache.contains(base + key)).toBe(naive.contains(key));
      });
      expect(cache.capacity).toBe(capacity);
    }),
    { numRuns: drawn(300) },
  );
});

/** Without those that rank by router weights, which these calls do not have. */
const policies = (Object.values(cachePolicies) as CachePolicy[]).filter(({ needs }) => !needs.includes("weights"));

describe.each(policies)("$name", (policy) => {
  test("has the very cache of the policy where everything is admitted", () => {
    expect(admitted(policy, null)).toBe(policy);
    const context = contextOf([], 4);
    const own = policy.create(context).constructor;
    for (const all of [{ admission: admissions.always, values: {} }, reused(1), reused(1, 3)])
      expect(admitted(policy, all).create(context).constructor).toBe(own);
  });

  test("is created without values as with the defaults of its parameters", () => {
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: experts }), (all, capacity) => {
        const defaults = z.strictObject(policy.parameters).parse({});
        expect(missesOf(configured(policy, defaults), all, capacity)).toBe(missesOf(policy, all, capacity));
      }),
      { numRuns: drawn(20) },
    );
  });
});

test("a call larger than the cache leaves it as it was", () => {
  const cache = admitted(cachePolicies.lru, fitting).create(contextOf([], 3));
  const hit = new Uint8Array(experts);
  cache.call(Uint32Array.of(0, 1, 2), 0, 3, hit);
  expect(cache.call(Uint32Array.of(4, 5, 1, 6), 0, 4, hit)).toBe(1);
  expect([...Array(experts).keys()].filter((key) => cache.contains(key))).toEqual([0, 1, 2]);
});

test("experts used once do not push out those in use", () => {
  // Experts 0 and 1 in turn, and a new one each time.
  const all = Array.from({ length: 10 }, (_, i) => [[i % 2], [2 + i]]).flat();
  expect(missesOf(cachePolicies.lru, all, 2)).toBe(20);
  expect(missesOf(admitted(cachePolicies.lru, reused(2)), all, 2)).toBe(10 + 4);
});

test("one more slot never misses more under lru, whatever the number of uses", () => {
  fc.assert(
    fc.property(calls, fc.nat(experts - 1), fc.integer({ min: 1, max: 4 }), (all, capacity, uses) => {
      const lru = admitted(cachePolicies.lru, reused(uses));
      expect(missesOf(lru, all, capacity + 1)).toBeLessThanOrEqual(missesOf(lru, all, capacity));
    }),
    { numRuns: drawn(300) },
  );
});

test("no policy under any admission misses less than the optimum that is free to bypass", () => {
  const live = policies.filter(({ needs }) => !needs.includes("popularity") && !needs.includes("future"));
  fc.assert(
    fc.property(calls, fc.nat(experts), choice, (all, capacity, admission) => {
      const optimum = missesOf(free, all, capacity);
      expect(missesOf(cachePolicies.belady, all, capacity)).toBeGreaterThanOrEqual(optimum);
      for (const policy of live)
        expect(missesOf(admitted(policy, admission), all, capacity)).toBeGreaterThanOrEqual(optimum);
    }),
    { numRuns: drawn(200) },
  );
});

test("the optimum that is free to bypass is that of trying every choice, and never misses more with a slot more", () => {
  fc.assert(
    fc.property(anyCalls(5, 7), fc.integer({ min: 1, max: 4 }), (all, capacity) => {
      const cache = free.create({ objects: 5, capacity, popularity: null, future: logOf(all) });
      expect(replayLog(logOf(all), cache).misses).toBe(fewestMisses(all, capacity, "free"));
      expect(missesOf(free, all, capacity + 1)).toBeLessThanOrEqual(missesOf(free, all, capacity));
    }),
    { numRuns: drawn(60) },
  );
});

test("every admission is listed under its own name", () => {
  for (const [name, { name: own }] of Object.entries(admissions)) expect(own).toBe(name);
});
