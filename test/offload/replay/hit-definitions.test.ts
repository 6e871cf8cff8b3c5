import fc from "fast-check";
import { expect, test } from "vitest";
import type { DefinedReplay } from "../../../src/offload/replay/definitions/hit-definition.ts";
import { hitDefinitions } from "../../../src/offload/replay/definitions/hit-definitions.ts";
import { routedCalls, usesOf } from "../../../src/offload/replay/routed-calls.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import type { CachePolicy } from "../../../src/policy/cache/expert-cache.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { anyTable, callsOf, choicesOf, tokensTable } from "./tables.ts";

const replayOf = (table: RoutingTable, policy: CachePolicy, slots: number, batch = 1): DefinedReplay => {
  const calls = routedCalls(table, batch);
  return { table, calls, policy, slots, popularity: usesOf(calls) };
};
const under = (name: string, replay: DefinedReplay) =>
  hitDefinitions.find((definition) => definition.name === name)!.measure(replay);

const settings = fc.record({
  table: anyTable,
  slots: fc.integer({ min: 2, max: 9 }),
  batch: fc.integer({ min: 1, max: 4 }),
});

test("a definition says what it counts, against which state, and who uses it", () => {
  for (const definition of hitDefinitions)
    for (const words of [definition.counts, definition.state, definition.coldFill, definition.source])
      expect(words).not.toBe("");
  expect(new Set(hitDefinitions.map(({ name }) => name)).size).toBe(hitDefinitions.length);
});

test("for one sequence at a time under LRU, calls and choices are the same: three definitions agree", () => {
  fc.assert(
    fc.property(settings, ({ table, slots }) => {
      const replay = replayOf(table, cachePolicies.lru, slots);
      const physical = under("physical", replay);
      expect(under("event-atomic", replay)).toEqual({ hits: physical.hits, accesses: physical.accesses });
      expect(under("new-per-layer-token", replay)).toEqual({ hits: physical.hits, accesses: physical.accesses });
    }),
    { numRuns: drawn(60) },
  );
});

test("with room for everything each access hits, but for first uses where these are misses", () => {
  fc.assert(
    fc.property(settings, ({ table, batch }) => {
      const replay = replayOf(table, cachePolicies.lru, table.experts, batch);
      const cold = usesOf(replay.calls).filter((uses) => uses > 0).length;
      for (const [name, misses] of [
        ["lrc", 0],
        ["unique-per-call", 0],
        ["new-per-layer-token", cold],
        ["event-atomic", cold],
        ["physical", cold],
      ] as const) {
        const { hits, accesses } = under(name, replay);
        expect([name, accesses - hits]).toEqual([name, misses]);
      }
    }),
    { numRuns: drawn(60) },
  );
});

/** How many experts of a call an LRU list per layer holds; what is missing is loaded, the least recent go. */
function heldBy(lists: number[][], slots: number): (layer: number, keys: readonly number[]) => number {
  return (layer, keys) => {
    const list = lists[layer]!;
    lists[layer] = [...list.filter((key) => !keys.includes(key)), ...keys].slice(-slots);
    return keys.filter((key) => list.includes(key)).length;
  };
}

test("LRU under each definition is what a list gives", () => {
  fc.assert(
    fc.property(settings, ({ table, slots, batch }) => {
      const { layers, experts } = table;
      const replay = replayOf(table, cachePolicies.lru, slots, batch);
      const calls = callsOf(replay.calls);
      const layerOf = (keys: readonly number[]) => Math.floor(keys[0]! / experts);
      const empty = heldBy(
        Array.from({ length: layers }, () => []),
        slots,
      );
      const misses = calls.reduce((sum, keys) => sum + keys.length - empty(layerOf(keys), keys), 0);
      expect(under("physical", replay).hits).toBe(calls.flat().length - misses);
      const choices = table.rows * layers * table.topK;
      expect(under("new-per-layer-token", replay)).toEqual({ hits: choices - misses, accesses: choices });

      const loaded = heldBy(
        Array.from({ length: layers }, (_, layer) =>
          Array.from({ length: experts }, (_e, e) => layer * experts + e).slice(-slots),
        ),
        slots,
      );
      const held = calls.reduce((sum, keys) => sum + loaded(layerOf(keys), keys), 0);
      expect(under("unique-per-call", replay)).toEqual(
        expect.objectContaining({ hits: held, accesses: calls.flat().length }),
      );
    }),
    { numRuns: drawn(60) },
  );
});

test("a fixed set hits the choices of its experts, whichever layers they are in", () => {
  fc.assert(
    fc.property(settings, ({ table, slots, batch }) => {
      const replay = replayOf(table, cachePolicies.static, slots, batch);
      const uses = [...replay.popularity!].map((count, key) => ({ count, key }));
      const set = new Set(
        uses
          .sort((a, b) => b.count - a.count || a.key - b.key)
          .slice(0, slots * table.layers)
          .map(({ key }) => key),
      );
      let hits = 0;
      for (let row = 0; row < table.rows; row++)
        for (let layer = 0; layer < table.layers; layer++)
          hits += choicesOf(table, row, layer).filter((e) => set.has(layer * table.experts + e)).length;
      expect(under("per-routed-token", replay)).toEqual({ hits, accesses: table.rows * table.layers * table.topK });
    }),
    { numRuns: drawn(60) },
  );
});

test("an event of a policy that ranks by use may evict its own experts; a physical call may not", () => {
  // LFU, 2 slots: 0 and 1 are used twice; then 2 and 3 come together. Access by access, 3 takes the place of 2.
  const table = tokensTable([[[0, 1]], [[0, 1]], [[2, 3]], [[2, 3]]], 4, [4]);
  const replay = replayOf(table, cachePolicies.lfu, 2);
  expect(under("physical", replay).hits).toBe(2 + 2);
  expect(under("event-atomic", replay).hits).toBe(2 + 1);
});

test("the event-atomic toy trace of arXiv 2608.07911 has 12 hits and 18 misses", () => {
  // 3 layers alike, 2 slots of each: {0 1} {0 2} {0 1} {0 3} {0 1}.
  const layers = (token: number[]) => [token, token, token];
  const table = tokensTable(
    [
      [0, 1],
      [0, 2],
      [0, 1],
      [0, 3],
      [0, 1],
    ].map(layers),
    4,
    [5],
  );
  expect(under("event-atomic", replayOf(table, cachePolicies.lru, 2))).toEqual({ hits: 12, accesses: 30 });
});
