import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScopedCache } from "../../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import type { CachePolicy, ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { drawn } from "../drawn.ts";
import { logOf } from "./call-logs.ts";
import { type Event, History, naiveRanks, type Rank } from "./naive-moe-caches.ts";

const layers = 4;
const experts = 5;
const objects = layers * experts;

const keysOf = (layer: number) =>
  fc
    .uniqueArray(fc.nat(experts - 1), { minLength: 1, maxLength: 3 })
    .map((ids) => ids.map((id) => layer * experts + id));
/** Router weights by size of the call: shares that are exact, so that equal similarities are equal. */
const weightsOf = [[], [3], [1, 3], [1, 2, 1]] as const;
const callOf = (layer: number): fc.Arbitrary<Event> =>
  keysOf(layer).map((keys) => ({ kind: "call" as const, keys, weights: weightsOf[keys.length]! }));
const anyKeys = fc.uniqueArray(fc.nat(objects - 1), { maxLength: 8 });
const beside: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constantFrom("insert" as const, "drop" as const), key: fc.nat(objects - 1), spared: anyKeys }),
  fc.constant({ kind: "start" as const }),
  fc.record({ kind: fc.constant("foresee" as const), keys: anyKeys }),
);
/** Passes through the layers in order, some left out, with other events in between. */
const runs = fc
  .array(
    fc.tuple(fc.subarray([...Array(layers).keys()]), fc.array(beside, { maxLength: 2 }), fc.infiniteStream(fc.nat(9))),
    {
      maxLength: 8,
    },
  )
  .chain((passes) =>
    fc.tuple(...passes.map(([own, others]) => fc.tuple(fc.tuple(...own.map(callOf)), fc.constant(others), fc.nat(4)))),
  )
  .map((passes) => passes.flatMap(([own, others, at]) => [...own.slice(0, at), ...others, ...own.slice(at)]));

/** Who leaves by the definition, one by one: the lowest rank among the candidates, ties to the least recently used. */
function victims(history: History, rank: Rank, count: number, spared: (key: number) => boolean): number[] {
  const gone: number[] = [];
  for (let i = 0; i < count; i++) {
    const candidates = [...history.residents.keys()].filter((key) => !spared(key));
    candidates.sort((a, b) => rank(history, a) - rank(history, b) || history.usedAt.get(a)! - history.usedAt.get(b)!);
    if (candidates[0] === undefined) return gone;
    gone.push(candidates[0]);
    history.residents.delete(candidates[0]);
  }
  return gone;
}

/** Holds a cache against the definition of its ranks, event by event. */
function compare(cache: ExpertCache, history: History, rank: Rank, exact: boolean, events: readonly Event[]): void {
  const { capacity } = history.shape;
  const hit = new Uint8Array(experts);
  /** Who must leave of `before`, and who left. */
  const settle = (before: ReadonlyMap<number, { came: number; pass: number }>, expected: readonly number[]): void => {
    const left = [...before.keys()].filter((key) => !cache.contains(key));
    expect(left.length).toBe(expected.length);
    if (exact) expect(new Set(left)).toEqual(new Set(expected));
    else {
      // Ranks that differ by rounding alone may be taken in either order.
      history.residents.clear();
      for (const [key, state] of before) history.residents.set(key, state);
      const sorted = (keys: readonly number[]) => keys.map((key) => rank(history, key)).sort((a, b) => a - b);
      const ranks = sorted(expected);
      for (const [i, found] of sorted(left).entries()) expect(Math.abs(found - ranks[i]!)).toBeLessThan(1e-7);
    }
    history.residents.clear();
    for (const [key, state] of before) if (cache.contains(key)) history.residents.set(key, state);
  };
  for (const event of events) {
    const at = history.events++;
    if (event.kind === "start") {
      history.starts.push(at);
      cache.requestStarts?.();
    } else if (event.kind === "foresee") {
      history.foreseen = event.keys;
      cache.foresee?.(Uint32Array.from(event.keys), 0, event.keys.length);
    } else if (event.kind === "drop") {
      if (!cache.contains(event.key)) continue;
      cache.drop(event.key);
      history.residents.delete(event.key);
    } else if (event.kind === "insert") {
      if (cache.contains(event.key)) continue;
      const spared = new Uint8Array(objects);
      for (const key of event.spared) spared[key] = 1;
      const before = new Map(history.residents);
      const entered = cache.insert(event.key, spared);
      const wanted = Math.max(0, before.size + 1 - capacity);
      const gone = victims(history, rank, wanted, (key) => spared[key] === 1);
      expect(entered).toBe(gone.length === wanted);
      settle(before, gone);
      if (!entered) continue;
      history.residents.set(event.key, { came: at, pass: history.pass });
      history.usedAt.set(event.key, ++history.uses);
    } else if (event.kind === "call") {
      const layer = history.layerOf(event.keys[0]!);
      const pass = history.pass + (layer <= (history.lastCall?.layer ?? Infinity) ? 1 : 0);
      const wasHit = event.keys.map((key) => (cache.contains(key) ? 1 : 0));
      cache.call(Uint32Array.from(event.keys), 0, event.keys.length, hit, Float64Array.from(event.weights));
      expect([...hit.subarray(0, event.keys.length)]).toEqual(wasHit);
      history.calls.push({ at, layer, pass, keys: event.keys, weights: event.weights });
      for (const key of event.keys) {
        history.usedAt.set(key, ++history.uses);
        if (!history.residents.has(key)) history.residents.set(key, { came: at, pass });
      }
      const before = new Map(history.residents);
      const fits = event.keys.length <= capacity;
      settle(
        before,
        victims(history, rank, before.size - capacity, (key) => fits && event.keys.includes(key)),
      );
    }
    expect(cache.resident).toBe(history.residents.size);
  }
}

describe.each(Object.keys(naiveRanks) as (keyof typeof naiveRanks)[])("%s", (name) => {
  const policy: CachePolicy = cachePolicies[name];
  const { exact, cases } = naiveRanks[name];
  test.each(cases.map(([values, rank]) => ({ values: values as object, rank: rank as Rank })))(
    "with $values, evicts whom its definition ranks lowest",
    ({ values, rank }) => {
      fc.assert(
        fc.property(runs, fc.nat(objects), (events, capacity) => {
          const looksAhead = policy.needs.includes("future");
          const own = looksAhead ? events.filter(({ kind }) => kind === "call" || kind === "start") : events;
          const future = logOf(own.flatMap((event) => (event.kind === "call" ? [[...event.keys]] : [])));
          const context = { objects, layers, expertsPerLayer: experts, capacity, popularity: null, future };
          const history = new History({ layers, experts, capacity, future });
          compare(policy.create(context, values as never), history, rank, exact, own);
        }),
        { numRuns: drawn(60) },
      );
    },
  );
});

/** Calls of passes through all layers. */
const passes = fc.array(fc.tuple(...Array.from({ length: layers }, (_, layer) => keysOf(layer))), { maxLength: 15 });
const contextOf = (capacity: number, popularity: Float64Array | null = null) => ({
  objects,
  layers,
  expertsPerLayer: experts,
  capacity,
  popularity,
  future: null,
});

test("least-stale by recency is lru, and in a cache of one layer least-stale is fifo", () => {
  fc.assert(
    fc.property(passes, fc.nat(objects), fc.integer({ min: 1, max: experts }), (all, capacity, slots) => {
      const log = logOf(all.flat());
      const missesOf = (cache: ExpertCache): number => replayLog(log, cache).misses;
      const { lru, fifo, "least-stale": leastStale } = cachePolicies;
      const recent = leastStale.create(contextOf(capacity), { order: "recency" });
      expect(missesOf(recent)).toBe(missesOf(lru.create(contextOf(capacity))));
      const input = { layers, expertsPerLayer: experts, slots, popularity: null, future: null };
      const perLayer = (policy: CachePolicy) => missesOf(createScopedCache(policy, "layer", input));
      expect(perLayer(leastStale)).toBe(perLayer(fifo));
    }),
  );
});

test("least-stale keeps what this pass used, where lru and fifo do not look at passes", () => {
  // Three slots. 0 came first and is used again in the second pass; 10 came later and was used in the first pass only.
  const cache = cachePolicies["least-stale"].create(contextOf(3));
  for (const keys of [[0], [5], [10], [0], [6]]) cache.call(Uint32Array.from(keys), 0, 1, new Uint8Array(1));
  expect([0, 5, 6, 10].filter((key) => cache.contains(key))).toEqual([0, 6, 10]);
  cache.call(Uint32Array.of(11), 0, 1, new Uint8Array(1));
  expect([0, 6, 10, 11].filter((key) => cache.contains(key))).toEqual([0, 6, 11]);
});

describe("lfu that starts anew with each request", () => {
  test("evicts by the uses since, ties to the least recently used, as a reference that zeroes them", () => {
    const steps = fc.array(
      fc.oneof(
        fc
          .uniqueArray(fc.nat(experts - 1), { minLength: 1, maxLength: 3 })
          .map((keys) => ({ kind: "call" as const, keys })),
        fc.nat(experts - 1).map((key) => ({ kind: "insert" as const, keys: [key] })),
        fc.constant({ kind: "start" as const, keys: [] as number[] }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 3, max: experts }),
        fc.option(fc.integer({ min: 1, max: 5 })),
        (all, capacity, halfLife) => {
          const values = { reset: "request" as const, ...(halfLife === null ? {} : { halfLife }) };
          const cache = cachePolicies.lfu.create(
            { objects: experts, capacity, popularity: null, future: null },
            values,
          );
          const uses = new Map<number, { count: number; at: number }>();
          let clock = 0;
          let calls = 0;
          const evict = (spared: readonly number[]): void => {
            const order = [...uses].filter(([key]) => !spared.includes(key));
            order.sort(([, a], [, b]) => a.count - b.count || a.at - b.at);
            uses.delete(order[0]![0]);
          };
          for (const { kind, keys } of all) {
            if (kind === "start") {
              cache.requestStarts?.();
              for (const state of uses.values()) state.count = 0;
            } else if (kind === "insert") {
              if (uses.has(keys[0]!)) continue;
              cache.insert(keys[0]!, new Uint8Array(experts));
              if (uses.size === capacity) evict([]);
              uses.set(keys[0]!, { count: 1, at: ++clock });
            } else {
              cache.call(Uint32Array.from(keys), 0, keys.length, new Uint8Array(experts));
              for (const key of keys) uses.set(key, { count: (uses.get(key)?.count ?? 0) + 1, at: ++clock });
              while (uses.size > capacity) evict(keys);
              if (halfLife !== null && ++calls % halfLife === 0)
                for (const state of uses.values())
                  state.count = state.count < 2 ? state.count : Math.floor(state.count / 2);
            }
            for (let key = 0; key < experts; key++) expect(cache.contains(key)).toBe(uses.has(key));
          }
        },
      ),
      { numRuns: drawn(400) },
    );
  });

  test("lets go what only the last request used often", () => {
    const policy = cachePolicies.lfu;
    const missesWith = (values: { reset?: "request" }): number => {
      const cache = policy.create(contextOf(2), values);
      let misses = 0;
      const ask = (key: number): void => {
        misses += 1 - cache.call(Uint32Array.of(key), 0, 1, new Uint8Array(1));
      };
      for (let i = 0; i < 20; i++) ask(0);
      cache.requestStarts?.();
      // 1 and 2 in turns: with 0 in one slot for good, each always pushes the other one out.
      for (let i = 0; i < 20; i++) ask(1 + (i % 2));
      return misses;
    };
    expect(missesWith({})).toBe(1 + 20);
    expect(missesWith({ reset: "request" })).toBe(1 + 2);
  });
});

describe("a static set", () => {
  /** Layer 1 is served by somebody else; expert 3 of layer 2 as well. */
  const popularity = Float64Array.from({ length: objects }, (_, key) =>
    Math.floor(key / experts) === 1 || key === 13 ? -1 : (key * 7) % 11,
  );
  const setOf = (choose: string, capacity: number, seed = 0): number[] => {
    const context = { ...contextOf(capacity, popularity), seed };
    const cache = cachePolicies.static.create(context, { choose: choose as "uniform" });
    return [...Array(objects).keys()].filter((key) => cache.contains(key));
  };

  test("is chosen as KTransformers and llama.cpp place experts, among those that the device serves", () => {
    expect(setOf("uniform", 7)).toEqual([0, 1, 2, 10, 11, 15, 16]);
    expect(setOf("front-loading", 7)).toEqual([0, 1, 2, 3, 4, 10, 11]);
    expect(setOf("back-loading", 7)).toEqual([10, 11, 15, 16, 17, 18, 19]);
    expect(setOf("uniform", objects)).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 14, 15, 16, 17, 18, 19]);
    const mostUsed = [...popularity.keys()].sort((a, b) => popularity[b]! - popularity[a]! || a - b).slice(0, 7);
    expect(setOf("frequency", 7)).toEqual(mostUsed.sort((a, b) => a - b));
  });

  test("of a layer is its first experts, its most used or its last in the order of ids", () => {
    const own = { objects: experts, base: 10, layers, expertsPerLayer: experts, capacity: 2, future: null };
    const chosen = (choose: string): number[] => {
      const context = { ...own, popularity: popularity.subarray(10, 15) };
      const cache = cachePolicies.static.create(context, { choose: choose as "uniform" });
      return [10, 11, 12, 13, 14].filter((key) => cache.contains(key));
    };
    expect(chosen("uniform")).toEqual([10, 11]);
    expect(chosen("frequency")).toEqual([12, 14]);
  });

  test("at random holds each expert that is served as often, and the same ones for a seed", () => {
    const held = new Float64Array(objects);
    for (let seed = 0; seed < 700; seed++) {
      const set = setOf("random", 7, seed);
      expect(set.length).toBe(7);
      expect(setOf("random", 7, seed)).toEqual(set);
      for (const key of set) held[key]!++;
    }
    for (const [key, times] of held.entries())
      if (popularity[key]! < 0) expect(times).toBe(0);
      else expect(Math.abs(times - 350)).toBeLessThan(70);
  });
});

test("what hybrimoe ranks by are router weights, and it says so without them", () => {
  const cache = cachePolicies.hybrimoe.create(contextOf(2));
  expect(() => cache.call(Uint32Array.of(1), 0, 1, new Uint8Array(1))).toThrow(/cache-policy-needs/);
});

test("policies that rank all layers are not made for single ones", () => {
  const input = { layers, expertsPerLayer: experts, slots: 2, popularity: null, future: null };
  for (const policy of Object.values(cachePolicies) as CachePolicy[])
    if (policy.needs.includes("layers"))
      expect(() => createScopedCache(policy, "layer", input)).toThrow(/cache-policy-needs/);
});

test("moe-infinity learns from past requests what finemoe learns from past passes", () => {
  // Two kinds of requests, told apart in layer 0: kind 0 uses experts 0, kind 1 experts 1, in every layer.
  const passOf = (kind: number): number[][] => Array.from({ length: layers }, (_, layer) => [layer * experts + kind]);
  const hitsOf = (policy: CachePolicy, values: object): number => {
    const cache = policy.create(contextOf(layers + 1), values as never);
    const hit = new Uint8Array(1);
    let hits = 0;
    for (let request = 0; request < 40; request++) {
      cache.requestStarts?.();
      for (const keys of passOf(request % 2)) hits += cache.call(Uint32Array.from(keys), 0, 1, hit);
    }
    return hits;
  };
  const lru = hitsOf(cachePolicies.lru, {});
  expect(lru).toBe(0);
  expect(hitsOf(cachePolicies.finemoe, { variant: "paper", store: 10, distance: 1 })).toBeGreaterThan(lru);
  expect(hitsOf(cachePolicies["moe-infinity"], { variant: "paper", store: 10 })).toBeGreaterThan(lru);
});

test("plec gives slots to the layer that is expected to need them", () => {
  const cache = cachePolicies.plec.create(contextOf(6));
  const hit = new Uint8Array(experts);
  const ask = (keys: readonly number[]) => cache.call(Uint32Array.from(keys), 0, keys.length, hit);
  ask([0, 1, 2]);
  ask([5, 6, 7]);
  // Layer 2 will need four slots and layer 0 two: two of layer 1 go, although those of layer 0 are older.
  cache.foresee?.(Uint32Array.of(10, 11, 12, 13, 0, 1), 0, 6);
  ask([10, 11]);
  expect([...Array(objects).keys()].filter((key) => cache.contains(key))).toEqual([0, 1, 2, 7, 10, 11]);
});

test("the more passes sch looks ahead over, the more it knows: one pass of a longer period is not enough", () => {
  // Three experts of one layer in turns in two slots: only who sees two passes ahead knows which comes first.
  const log = logOf(Array.from({ length: 60 }, (_, i) => [i % 3]));
  const missesOf = (policy: CachePolicy, values: object) =>
    replayLog(log, policy.create({ objects: 3, capacity: 2, popularity: null, future: log }, values as never)).misses;
  const optimum = missesOf(cachePolicies.belady, {});
  expect(missesOf(cachePolicies.sch, { tokens: 1 })).toBe(60);
  expect(missesOf(cachePolicies.sch, { tokens: 2 })).toBe(optimum);
});
