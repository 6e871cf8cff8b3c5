import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import type { CachePolicy, CallLog, ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { drawn, further } from "../drawn.ts";
import { anyCalls, callsOf, logOf, skewedCalls } from "./call-logs.ts";
import { bits, fewestMisses } from "./fewest-misses.ts";
import { naiveAdaptive } from "./naive-adaptive.ts";
import { naiveCaches } from "./naive-caches.ts";

const experts = 12;
/** Without those that rank by router weights, which these calls do not have. */
const policies = (Object.values(cachePolicies) as CachePolicy[]).filter(({ needs }) => !needs.includes("weights"));
const naives = { ...naiveCaches, ...naiveAdaptive };
const admitting = policies.filter((policy) => !policy.needs.includes("popularity"));

/** Uses that are all different, so that ties play no part. */
const popularity = Float64Array.from({ length: experts }, (_, key) => (key * 7) % experts);

function create(policy: CachePolicy, capacity: number, log: CallLog, uses = popularity): ExpertCache {
  return policy.create({ objects: experts, capacity, popularity: uses, future: log });
}

function missesOf(policy: CachePolicy, capacity: number, log: CallLog): number {
  return replayLog(log, create(policy, capacity, log)).misses;
}

describe.each(Object.keys(naives) as (keyof typeof naives)[])("%s", (name) => {
  test("judges every access and keeps the same experts as a Map-based reference", () => {
    fc.assert(
      fc.property(fc.oneof(anyCalls(experts), skewedCalls(experts)), fc.nat(experts + 2), (calls, capacity) => {
        const log = logOf(calls);
        const context = { objects: experts, capacity, popularity: null, future: log };
        const cache = cachePolicies[name].create(context);
        const naive = naives[name](context);
        const hit = new Uint8Array(experts);
        const naiveHit = new Uint8Array(experts);
        for (let call = 0; call < log.calls; call++) {
          const [from, to] = [log.starts[call] ?? 0, log.starts[call + 1] ?? 0];
          const hits = cache.call(log.keys, from, to, hit);
          expect(naive.call(log.keys, from, to, naiveHit)).toBe(hits);
          expect([...hit.subarray(0, to - from)]).toEqual([...naiveHit.subarray(0, to - from)]);
          expect(cache.resident).toBe(naive.resident);
          if (name === "belady") continue; // experts never used again are interchangeable
          for (let key = 0; key < experts; key++) expect(cache.contains(key)).toBe(naive.contains(key));
        }
      }),
      { numRuns: drawn(100) },
    );
  });

  test.skipIf(name === "belady")("lets in and drops what is prefetched as the reference does", () => {
    const moves = fc.array(fc.record({ key: fc.nat(experts - 1), spares: fc.array(fc.nat(experts - 1)) }), {
      minLength: 40,
      maxLength: 40,
    });
    fc.assert(
      fc.property(skewedCalls(experts), moves, fc.nat(experts), (calls, inserts, capacity) => {
        const log = logOf(calls);
        const context = { objects: experts, capacity, popularity: null, future: log };
        const cache = cachePolicies[name].create(context);
        const naive = naives[name](context);
        const hit = new Uint8Array(experts);
        for (let call = 0; call < log.calls; call++) {
          const { key, spares } = inserts[call % inserts.length]!;
          const spared = new Uint8Array(experts);
          for (const spare of spares) spared[spare] = 1;
          if (cache.contains(key) && spares.length % 2 === 0) {
            cache.drop(key);
            naive.drop(key);
          } else if (!cache.contains(key)) expect(cache.insert(key, spared)).toBe(naive.insert(key, spared));
          const [from, to] = [log.starts[call] ?? 0, log.starts[call + 1] ?? 0];
          expect(cache.call(log.keys, from, to, hit)).toBe(naive.call(log.keys, from, to, hit));
          for (let key = 0; key < experts; key++) expect(cache.contains(key)).toBe(naive.contains(key));
        }
      }),
      { numRuns: drawn(100) },
    );
  });

  test("gives the same counts for any numbering of the experts", () => {
    const permutation = fc.shuffledSubarray([...Array(experts).keys()], { minLength: experts, maxLength: experts });
    fc.assert(
      fc.property(skewedCalls(experts), permutation, fc.integer({ min: 1, max: experts }), (calls, names, capacity) => {
        const renamed = logOf(calls.map((keys) => keys.map((key) => names[key] ?? 0)));
        expect(missesOf(cachePolicies[name], capacity, renamed)).toBe(
          missesOf(cachePolicies[name], capacity, logOf(calls)),
        );
      }),
    );
  });

  test("keeps all experts of a call that fits, and fills every slot under a call that does not", () => {
    const log = logOf([
      [0, 1, 2],
      [3, 0],
      [4, 5, 6, 7, 8, 9],
      [9, 1, 2],
    ]);
    const cache = create(cachePolicies[name], 3, log);
    const hit = new Uint8Array(experts);
    callsOf(log).forEach((keys, call) => {
      cache.call(log.keys, log.starts[call] ?? 0, log.starts[call + 1] ?? 0, hit);
      if (keys.length <= 3) for (const key of keys) expect(cache.contains(key)).toBe(true);
      expect(cache.resident).toBe(3);
    });
  });
});

describe.each(policies)("$name", (policy) => {
  test("never holds more than its slots and reports exactly what it contains", () => {
    fc.assert(
      fc.property(anyCalls(experts, 30), fc.nat(experts), (calls, capacity) => {
        const log = logOf(calls);
        const cache = create(policy, capacity, log);
        const hit = new Uint8Array(experts);
        for (let call = 0; call < log.calls; call++) {
          const keys = callsOf(log)[call] ?? [];
          const before = keys.map((key) => (cache.contains(key) ? 1 : 0));
          const hits = cache.call(log.keys, log.starts[call] ?? 0, log.starts[call + 1] ?? 0, hit);
          expect([...hit.subarray(0, keys.length)]).toEqual(before);
          expect(hits).toBe(before.reduce<number>((sum, bit) => sum + bit, 0));
          expect(cache.resident).toBeLessThanOrEqual(capacity);
          const held = [...Array(experts).keys()].filter((key) => cache.contains(key)).length;
          expect(held).toBe(cache.resident);
        }
      }),
    );
  });

  test("hits and misses sum to the accesses", () => {
    fc.assert(
      fc.property(anyCalls(experts), fc.nat(experts), (calls, capacity) => {
        const log = logOf(calls);
        const { accesses, hits, misses } = replayLog(log, create(policy, capacity, log));
        expect(accesses).toBe(calls.flat().length);
        expect(hits + misses).toBe(accesses);
      }),
    );
  });

  test("serves ids above its base as it serves ids from zero", () => {
    fc.assert(
      fc.property(skewedCalls(experts), fc.integer({ min: 1, max: experts }), (calls, capacity) => {
        const base = 1000;
        const shifted = logOf(calls.map((keys) => keys.map((key) => key + base)));
        const cache = policy.create({ objects: experts, base, capacity, popularity, future: shifted });
        expect(replayLog(shifted, cache).misses).toBe(missesOf(policy, capacity, logOf(calls)));
        expect(cache.contains(0)).toBe(false);
      }),
    );
  });
});

test.each(admitting)("$name: a repeated call that fits only misses the first time", (policy) => {
  const log = logOf(Array.from({ length: 50 }, () => [3, 1, 2]));
  expect(missesOf(policy, 3, log)).toBe(3);
});

test.each(admitting)("$name: what came into a free slot and was dropped leaves no trace", (policy) => {
  fc.assert(
    fc.property(skewedCalls(experts - 1), fc.nat(2), (calls, before) => {
      const log = logOf(calls);
      const [touched, plain] = [create(policy, 8, log), create(policy, 8, log)];
      const hit = new Uint8Array(experts);
      for (let call = 0; call < log.calls; call++) {
        if (call === before && touched.insert(experts - 1, new Uint8Array(experts))) touched.drop(experts - 1);
        const [from, to] = [log.starts[call] ?? 0, log.starts[call + 1] ?? 0];
        expect(touched.call(log.keys, from, to, hit)).toBe(plain.call(log.keys, from, to, hit));
        for (let key = 0; key < experts; key++) expect(touched.contains(key)).toBe(plain.contains(key));
      }
    }),
  );
});

test.each(admitting)("$name: no slots, no hits", (policy) => {
  expect(missesOf(policy, 0, logOf([[1], [1], [1, 2]]))).toBe(4);
});

test("one more slot never misses more under lru", () => {
  fc.assert(
    fc.property(fc.oneof(anyCalls(experts), skewedCalls(experts)), fc.nat(experts - 1), (calls, capacity) => {
      const log = logOf(calls);
      const misses = missesOf(cachePolicies.lru, capacity, log);
      expect(missesOf(cachePolicies.lru, capacity + 1, log)).toBeLessThanOrEqual(misses);
    }),
  );
});

// A call that only just fits must be admitted, while with one slot less it streams through and spares the residents.
test("one more slot never misses more under belady while every call fits", () => {
  fc.assert(
    fc.property(skewedCalls(experts), fc.integer({ min: 2, max: experts - 1 }), (calls, capacity) => {
      const log = logOf(calls);
      const misses = missesOf(cachePolicies.belady, capacity, log);
      expect(missesOf(cachePolicies.belady, capacity + 1, log)).toBeLessThanOrEqual(misses);
    }),
  );
});

test("no policy that must admit a fitting call misses less than belady", () => {
  fc.assert(
    fc.property(fc.oneof(anyCalls(experts), skewedCalls(experts)), fc.nat(experts), (calls, capacity) => {
      const log = logOf(calls);
      const optimum = missesOf(cachePolicies.belady, capacity, log);
      for (const policy of admitting) expect(missesOf(policy, capacity, log)).toBeGreaterThanOrEqual(optimum);
    }),
    { numRuns: drawn(100) },
  );
});

test("belady reaches the optimum found by trying every choice of residents", () => {
  fc.assert(
    fc.property(anyCalls(5, 7), fc.integer({ min: 1, max: 4 }), (calls, capacity) => {
      const log = logOf(calls);
      const cache = cachePolicies.belady.create({ objects: 5, capacity, popularity: null, future: log });
      expect(replayLog(log, cache).misses).toBe(fewestMisses(calls, capacity, "mandatory"));
    }),
    { numRuns: drawn(60) },
  );
});

test("belady that starts loaded reaches the optimum over all first residents too", () => {
  fc.assert(
    fc.property(anyCalls(5, 7), fc.integer({ min: 1, max: 4 }), (calls, capacity) => {
      const log = logOf(calls);
      const context = { objects: 5, capacity, popularity: null, future: log };
      const { misses } = replayLog(log, cachePolicies.belady.create(context, { bypass: true, loaded: true }));
      const starts = Array.from({ length: 2 ** 5 }, (_, mask) => mask).filter((mask) => bits(mask) <= capacity);
      expect(misses).toBe(Math.min(...starts.map((start) => fewestMisses(calls, capacity, "free", 0, start))));
    }),
    { numRuns: drawn(60) },
  );
});

test("the lru hit curve equals Mattson's stack distances", () => {
  fc.assert(
    fc.property(anyCalls(experts), (calls) => {
      const log = logOf(calls);
      const distances = stackDistances(calls);
      for (let capacity = 1; capacity <= experts; capacity++) {
        const expected = distances.filter((distance) => distance < capacity).length;
        expect(replayLog(log, create(cachePolicies.lru, capacity, log)).hits).toBe(expected);
      }
    }),
  );
});

/** Depth of each accessed key in the recency stack at the start of its call; Infinity on first use. */
function stackDistances(calls: readonly number[][]): number[] {
  let stack: number[] = [];
  return calls.flatMap((keys) => {
    const distances = keys.map((key) => (stack.includes(key) ? stack.indexOf(key) : Infinity));
    stack = [...[...keys].reverse(), ...stack.filter((key) => !keys.includes(key))];
    return distances;
  });
}

test("a long lru replay survives every compaction and growth of its log", () => {
  const calls = Array.from({ length: 4000 }, (_, call) =>
    call % 500 === 499 ? [...Array(experts).keys()] : [call % 3, 3 + (call % 2), 5 + (call % 7)],
  );
  const log = logOf(calls);
  for (const capacity of [1, 4, 7, experts]) {
    const naive = naiveCaches.lru({ objects: experts, capacity, popularity: null, future: null });
    expect(missesOf(cachePolicies.lru, capacity, log)).toBe(replayLog(log, naive).misses);
  }
});

test("lru remembers an old touch through a long run of hits", () => {
  const hits = Array.from({ length: 3000 }, (_, call) => [1 + (call % 6)]);
  const log = logOf([[0], ...hits, [7], [1], [8], [0], [2], [9], [3]]);
  const naive = naiveCaches.lru({ objects: experts, capacity: 7, popularity: null, future: null });
  expect(missesOf(cachePolicies.lru, 7, log)).toBe(replayLog(log, naive).misses);
});

test.each(["fifo", "lfu", ...further(["clock", "sieve", "arc", "lirs", "lfu-da", "gdsf"] as const)] as const)(
  "%s does not change its choices when call stamps start over",
  (name) => {
    const calls = Array.from({ length: 70_000 }, (_, call) => [call % 2, 2 + (call % 3), 5 + ((call * call) % 7)]);
    const log = logOf(calls);
    const naive = naives[name]({ objects: experts, capacity: 5, popularity: null, future: null });
    expect(missesOf(cachePolicies[name], 5, log)).toBe(replayLog(log, naive).misses);
  },
);

test("lfu evicts the less used expert, and of equally used ones the less recent", () => {
  const hit = new Uint8Array(1);
  const keys = Uint32Array.from([0, 0, 1, 2, 3]);
  const cache = create(cachePolicies.lfu, 3, logOf([]));
  for (let i = 0; i < keys.length; i++) cache.call(keys, i, i + 1, hit);
  expect([0, 1, 2, 3].filter((key) => cache.contains(key))).toEqual([0, 2, 3]);
});

describe("uses that fade", () => {
  const lfu = (halfLife: number, capacity: number) =>
    cachePolicies.lfu.create({ objects: experts, capacity, popularity: null, future: null }, { halfLife });

  test("count and evict as in a Map-based reference that halves them", () => {
    fc.assert(
      fc.property(
        fc.oneof(anyCalls(experts), skewedCalls(experts)),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: experts }),
        (calls, halfLife, capacity) => {
          const log = logOf(calls);
          const cache = lfu(halfLife, capacity);
          const naive = naiveCaches.lfu({ objects: experts, capacity, popularity: null, future: log }, halfLife);
          const hit = new Uint8Array(experts);
          for (let call = 0; call < log.calls; call++) {
            const [from, to] = [log.starts[call] ?? 0, log.starts[call + 1] ?? 0];
            expect(cache.call(log.keys, from, to, hit)).toBe(naive.call(log.keys, from, to, hit));
            for (let key = 0; key < experts; key++) expect(cache.contains(key)).toBe(naive.contains(key));
          }
        },
      ),
      { numRuns: drawn(400) },
    );
  });

  test("are plain uses where no run lasts as long as they do", () => {
    fc.assert(
      fc.property(skewedCalls(experts), fc.integer({ min: 1, max: experts }), (calls, capacity) => {
        const log = logOf(calls);
        expect(replayLog(log, lfu(calls.length + 1, capacity)).misses).toBe(missesOf(cachePolicies.lfu, capacity, log));
      }),
    );
  });

  test("let an expert go that was used often, but long ago", () => {
    // Expert 0 is used 16 times, then never: 1 and 2 alternate with newcomers.
    const calls = [...Array.from({ length: 16 }, () => [0]), ...Array.from({ length: 60 }, (_, i) => [1 + (i % 3)])];
    const log = logOf(calls);
    // Two slots: plain LFU keeps 0 for good and misses all of the later calls.
    expect(missesOf(cachePolicies.lfu, 3, log)).toBe(1 + 60);
    expect(replayLog(log, lfu(4, 3)).misses).toBeLessThan(30);
  });
});

test("clock counts hits up to its bits, and is fifo for a trace without hits between evictions", () => {
  fc.assert(
    fc.property(
      fc.oneof(anyCalls(experts), skewedCalls(experts)),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: experts }),
      (calls, bits, capacity) => {
        const log = logOf(calls);
        const context = { objects: experts, capacity, popularity: null, future: null };
        const cache = cachePolicies.clock.create(context, { bits });
        expect(replayLog(log, cache).misses).toBe(replayLog(log, naiveCaches.clock(context, bits)).misses);
      },
    ),
  );
  // Round and round over one expert more than there are slots: nothing ever hits.
  const rounds = logOf(Array.from({ length: 40 }, (_, i) => [i % 5]));
  expect(missesOf(cachePolicies.clock, 4, rounds)).toBe(missesOf(cachePolicies.fifo, 4, rounds));
});

test("a static cache holds the most used experts, ties to the lower id, and never changes", () => {
  const uses = Float64Array.from([1, 5, 2, 5, 2, 2, 0, 0, 0, 0, 0, 0]);
  const log = logOf([
    [1, 3, 2],
    [4, 5],
    [6, 7, 8],
  ]);
  const cache = create(cachePolicies.static, 3, log, uses);
  expect(replayLog(log, cache)).toEqual({ accesses: 8, hits: 3, misses: 5 });
  expect([...Array(experts).keys()].filter((key) => cache.contains(key))).toEqual([1, 2, 3]);
});

test("belady refuses to serve calls it was not promised", () => {
  const cache = create(cachePolicies.belady, 2, logOf([[1, 2]]));
  expect(() => cache.call(Uint32Array.from([1, 3]), 0, 2, new Uint8Array(2))).toThrow(/clairvoyant-replay/);
});

test("policies that need popularity or the future say so when it is missing", () => {
  for (const policy of policies.filter(({ needs }) => needs.includes("popularity") || needs.includes("future")))
    expect(() => policy.create({ objects: 4, capacity: 2, popularity: null, future: null })).toThrow(
      /cache-policy-needs/,
    );
});

test("every policy is listed under its own name", () => {
  for (const [name, policy] of Object.entries(cachePolicies)) expect(policy.name).toBe(name);
});
