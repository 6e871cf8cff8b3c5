import { describe, expect, test } from "vitest";
import { exitCodes, InvalidInputError } from "../../src/core/errors.ts";
import { loadPlugin, pluginFile } from "../../src/plugin/load-plugin.ts";
import type { CachePlugin, PlacementPlugin, Plugin, RouterPlugin } from "../../src/plugin/plugin.ts";
import type { CacheContext, ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { offloaded, runWith, scenarioWith, spread } from "./example.ts";

const { plugin: twins } = await loadPlugin(await pluginFile("test/plugin/twins.mjs"));
const [lru] = twins.caches!;
const [order] = twins.placements!;

/** LRU of which something is changed. */
const cache = (
  change: (cache: ExpertCache, context: CacheContext) => Partial<Record<keyof ExpertCache, unknown>>,
): CachePlugin => ({
  name: "mine",
  rule: "Breaks a rule.",
  create: (context) => {
    const own = lru!.create(context, {});
    const { call, contains, insert, drop } = own;
    const whole = {
      capacity: own.capacity,
      get resident() {
        return own.resident;
      },
      call: call.bind(own),
      contains: contains.bind(own),
      insert: insert.bind(own),
      drop: drop.bind(own),
    };
    return Object.defineProperties(whole, Object.getOwnPropertyDescriptors(change(own, context))) as ExpertCache;
  },
});

const caches: readonly [string, CachePlugin, RegExp][] = [
  [
    "throws",
    cache(() => ({
      call: () => {
        throw new TypeError("no such thing");
      },
    })),
    /call\(keys, from, to, hit\) to return, found "TypeError: no such thing"/,
  ],
  [
    "counts hits as NaN",
    cache((own) => ({ call: (...given: Parameters<ExpertCache["call"]>) => own.call(...given) * Number.NaN })),
    /expected \d+ hits, found NaN/,
  ],
  [
    "calls all a hit",
    cache(() => ({
      call: (_k: Uint32Array, from: number, to: number, hit: Uint8Array) => {
        hit.fill(1);
        return to - from;
      },
    })),
    /was absent when the call began/,
  ],
  ["writes no hits", cache(() => ({ call: () => 0 })), /nothing written/],
  ["holds all from the start", cache(() => ({ contains: () => true })), /resident 0, 8 there/],
  [
    "never evicts",
    cache((own) => {
      const there = new Set<number>();
      return {
        contains: (key: number) => there.has(key),
        call: (keys: Uint32Array, from: number, to: number, hit: Uint8Array) => {
          let hits = 0;
          for (let i = from; i < to; i++) {
            hit[i - from] = there.has(keys[i]!) ? 1 : 0;
            hits += hit[i - from]!;
            there.add(keys[i]!);
          }
          return hits;
        },
        resident: own.capacity,
      };
    }),
    /experts that contains says are there, at most 4/,
  ],
  ["has half an expert", cache(() => ({ resident: 0.5 })), /found "?resident 0.5|found 0.5/],
  [
    "has more slots than it is told",
    cache((own) => ({ capacity: own.capacity + 1 })),
    /capacity 4, as create is told, found 5/,
  ],
  [
    "is no cache",
    { name: "mine", rule: "Nothing.", create: () => null as never },
    /create to return a cache, found null/,
  ],
  ["lacks a function", cache(() => ({ drop: undefined })), /a cache with drop\(\)/],
];

const message = async (run: Promise<unknown>): Promise<string> => {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InvalidInputError);
  expect((error as InvalidInputError).exitCode).toBe(exitCodes.invalidInput);
  expect((error as InvalidInputError).problems).toHaveLength(1);
  return (error as Error).message;
};

describe("a run ends with one message that names plugin and policy", () => {
  test.each(caches)("where a cache %s", async (_name, own, expected) => {
    const said = await message(runWith(offloaded, [{ name: "broken", caches: [own] }], ["policy.offload.kind=mine"]));
    expect(said).toMatch(/^plugin: plugin broken, cache mine: /);
    expect(said).toMatch(expected);
  });

  test("where a cache never answers, though it catches all that is thrown", async () => {
    const endless = cache(() => ({
      call: () => {
        let _n = 0;
        for (;;)
          try {
            _n++;
          } catch {
            _n--;
          }
      },
    }));
    const run = runWith(offloaded, [{ name: "broken", caches: [endless] }], ["policy.offload.kind=mine"], 300);
    expect(await message(run)).toBe('plugin: plugin broken, cache mine: expected an answer within 0.3 s, found "none"');
  });

  test.each<[string, unknown, RegExp]>([
    ["beyond the last", (targets: number) => targets, /a target from 0 to 2 for request 0, found 3/],
    ["that is no number", () => Number.NaN, /found NaN/],
    ["between two", () => 0.5, /found 0.5/],
    ["that is text", () => "0", /found "0"/],
  ])("where a router chooses a target %s", async (_name, choose, expected) => {
    const router = {
      name: "mine",
      rule: "x",
      create: (targets: number) => ({ choose: () => (choose as (n: number) => number)(targets) }),
    } satisfies RouterPlugin;
    const said = await message(runWith(spread, [{ name: "broken", routers: [router] }], ["policy.router=mine"]));
    expect(said).toMatch(/^plugin: plugin broken, router mine: /);
    expect(said).toMatch(expected);
  });

  test.each<[string, PlacementPlugin["place"], RegExp]>([
    ["nothing", () => undefined as never, /place to return a placement, found nothing/],
    [
      "fewer layers",
      async (...given) => ({ ...(await order!.place(...given)), layers: 1 }),
      /layers 48, as place is told, found 1/,
    ],
    [
      "a place for no expert",
      async (...given) => {
        const placed = await order!.place(...given);
        placed.logicalExperts[3] = 9999;
        return placed;
      },
      /an expert below 128/,
    ],
    [
      "an expert nowhere",
      async (...given) => {
        const placed = await order!.place(...given);
        placed.logicalExperts[3] = 0;
        return placed;
      },
      /a physical expert for every expert|one place/,
    ],
    [
      "a list",
      async (...given) => {
        const placed = await order!.place(...given);
        return { ...placed, logicalExperts: [...placed.logicalExperts] as never };
      },
      /Uint16Array/,
    ],
    ["a promise that fails", () => Promise.reject(new Error("later")), /found "Error: later"/],
    ["a promise that never comes", () => new Promise(() => {}), /an answer within 0.3 s/],
  ])("where a placement is %s", async (_name, place, expected) => {
    const mine = { name: "mine", rule: "x", place } satisfies PlacementPlugin;
    const said = await message(
      runWith(spread, [{ name: "broken", placements: [mine] }], ["policy.placement.kind=mine"], 300),
    );
    expect(said).toMatch(/^plugin: plugin broken, placement mine: /);
    expect(said).toMatch(expected);
  });
});

describe("a plugin is refused before anything runs", () => {
  const refused: readonly [string, unknown, RegExp][] = [
    ["is nothing", undefined, /plugin: expected object/],
    ["has no policies", { name: "p" }, /expected policies in caches, placements or routers/],
    ["has a key that nobody reads", { ...twins, cache: [] }, /cache: expected a key of a plugin.*did you mean caches/],
    [
      "has a cache without create",
      { name: "p", caches: [{ name: "mine", rule: "x" }] },
      /caches\[0\]\.create: expected a function: create\(context, values\)/,
    ],
    ["has a name with a space", { name: "a b", caches: [lru] }, /name: expected a word/],
    ["wants the future", { name: "p", caches: [{ ...lru, needs: ["future"] }] }, /caches\[0\]\.needs\[0\]/],
    ["takes the name of a policy of moecast", { name: "p", caches: [{ ...lru, name: "lfu" }] }, /moecast has lfu/],
    [
      "takes a key of all caches",
      { name: "p", caches: [{ ...lru, parameters: { slots: { type: "integer", description: "x" } } }] },
      /parameters\.slots/,
    ],
    [
      "has a default beyond its bounds",
      { name: "p", caches: [{ ...lru, parameters: { a: { type: "integer", max: 3, default: 4, description: "x" } } }] },
      /a default that the parameter itself allows, found 4/,
    ],
    [
      "has bounds the wrong way round",
      { name: "p", caches: [{ ...lru, parameters: { a: { type: "integer", min: 3, max: 2, description: "x" } } }] },
      /max of at least min/,
    ],
    [
      "has a parameter of no type",
      { name: "p", caches: [{ ...lru, parameters: { a: { type: "int", description: "x" } } }] },
      /parameters\.a/,
    ],
  ];
  test.each(refused)("that %s", (_name, plugin, expected) => {
    expect(() => scenarioWith(offloaded, [plugin as Plugin])).toThrow(expected);
  });

  test("that has the name of another one, or a policy of its", () => {
    expect(() => scenarioWith(offloaded, [twins, twins])).toThrow(/a plugin of this name is given already/);
    expect(() => scenarioWith(offloaded, [twins, { name: "p", caches: [lru!] }])).toThrow(/plugin twins has lru-twin/);
  });
});

describe("a scenario learns", () => {
  const tried = (...settings: string[]) => scenarioWith(offloaded, [twins], settings);

  test("names, with the nearest one for a slip", () => {
    expect(() => tried("policy.offload.kind=lru-twim")).toThrow(/did you mean lru-twin\?/);
    expect(() => tried("policy.router=turn-tvin")).toThrow(/did you mean turn-twin\?/);
  });

  test("parameters: defaults, checks with their places, and known keys", () => {
    expect(tried("policy.offload.kind=lru-twin").policy.offload).toMatchObject({ unused: 3 });
    expect(() => tried("policy.offload.kind=lru-twin", "policy.offload.unused=11")).toThrow(
      "--set policy.offload.unused=11: policy.offload.unused: expected at most 10, found 11",
    );
    expect(() => tried("policy.offload.kind=lru-twin", "policy.offload.unsued=1")).toThrow(/did you mean unused\?/);
    expect(() => tried("policy.offload.unused=1")).toThrow(/a key of policy.offload/);
  });

  test("nothing that the next scenario still knows", () => {
    tried("policy.offload.kind=lru-twin");
    expect(() => scenarioWith(offloaded, [], ["policy.offload.kind=lru-twin"])).toThrow(/expected one of lru/);
  });
});
