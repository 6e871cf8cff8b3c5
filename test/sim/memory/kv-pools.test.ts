import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CacheGroup, Holding } from "../../../src/sim/memory/holding.ts";
import { KvBlocks } from "../../../src/sim/memory/kv-blocks.ts";
import type { KvLayout } from "../../../src/sim/memory/kv-plan.ts";

const blockTokens = 8;
const fullGroup: CacheGroup = { kind: "full", blockTokens, copies: 1 };
const passing: fc.Arbitrary<CacheGroup> = fc.oneof(
  fc.record({
    kind: fc.constant("window" as const),
    blockTokens: fc.constant(blockTokens),
    copies: fc.integer({ min: 1, max: 3 }),
    windowTokens: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ kind: fc.constant("state" as const), copies: fc.integer({ min: 1, max: 3 }) }),
);
const pool = (groups: readonly CacheGroup[], capacity: number) => ({ capacity, holding: new Holding(groups) });

/** Windows and states in the pool of full caches, or in pools of their own. */
const layout: fc.Arbitrary<KvLayout> = fc
  .record({
    groups: fc.array(passing, { maxLength: 3 }),
    apart: fc.boolean(),
    capacity: fc.integer({ min: 10, max: 50 }),
  })
  .map(({ groups, apart, capacity }) => ({
    main: pool(apart ? [fullGroup] : [fullGroup, ...groups], capacity),
    apart: apart ? groups.map((group) => pool([group], capacity)) : [],
    sequenceTokensMax: 0,
  }));
const moves = fc.array(fc.record({ request: fc.nat(7), tokens: fc.integer({ min: 1, max: 30 }), ends: fc.boolean() }), {
  minLength: 20,
  maxLength: 60,
});

describe("the account of the pools", () => {
  test("is the sum of what the sequences hold, and no pool overflows", () => {
    let refused = 0;
    fc.assert(
      fc.property(layout, moves, (where, all) => {
        const kv = new KvBlocks(where, 8, null);
        const held = new Map<number, { computed: number; tokens: number }>();
        for (const { request, tokens, ends } of all) {
          const computed = held.get(request)?.tokens ?? 0;
          if (ends) {
            kv.release(request);
            held.delete(request);
          } else if (kv.grow(request, computed, computed + tokens))
            held.set(request, { computed, tokens: computed + tokens });
          else refused++;
          kv.check();
          for (const [p, { holding }] of [where.main, ...where.apart].entries()) {
            let sum = 0;
            for (const { computed, tokens } of held.values())
              sum += holding.fullBlocks(tokens) + holding.passingBlocks(computed, tokens);
            expect(kv.pools[p]?.used).toBe(sum);
          }
        }
        for (let request = 0; request < 8; request++) kv.release(request);
        for (const { used, allocated, freed } of kv.pools) expect([used, allocated - freed]).toEqual([0, 0]);
      }),
      { seed: 3 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  test("blocks that left the window serve another request", () => {
    const kv = new KvBlocks(
      {
        main: pool([{ kind: "window", blockTokens: 16, copies: 1, windowTokens: 32 }], 10),
        apart: [],
        sequenceTokensMax: 0,
      },
      2,
      null,
    );
    expect(kv.grow(0, 0, 160)).toBe(true);
    expect(kv.grow(1, 0, 16)).toBe(false);
    expect(kv.grow(0, 160, 161)).toBe(true);
    // Tokens 129 to 160 are in the window: the blocks from 128 on.
    expect(kv.main.used).toBe(3);
    expect(kv.grow(1, 0, 112)).toBe(true);
    kv.check();
  });

  test("windows and states belong to a request, whatever it shares of the full caches", () => {
    const prefix = { blockTokens: 16, offsets: Uint32Array.of(0, 2, 4), ids: Uint32Array.of(0, 1, 0, 1) };
    const groups: CacheGroup[] = [
      { kind: "full", blockTokens: 16, copies: 1 },
      { kind: "window", blockTokens: 16, copies: 2, windowTokens: 16 },
      { kind: "state", copies: 3 },
    ];
    const kv = new KvBlocks({ main: pool(groups, 100), apart: [], sequenceTokensMax: 0 }, 2, prefix);
    kv.grow(0, 0, 32);
    kv.publish(0, 32, 32);
    expect(kv.main.used).toBe(2 + 2 * 2 + 3);
    const cached = kv.cachedTokens(1, 33);
    expect(cached).toBe(32);
    kv.shareCached(1, cached);
    kv.grow(1, cached, 33);
    // One more full block, two of each window group (tokens 17 to 32), and the states.
    expect(kv.main.used).toBe(9 + 1 + 2 * 2 + 3);
    kv.release(0);
    kv.release(1);
    expect([kv.main.used, kv.main.cached]).toEqual([0, 2]);
    kv.check();
  });
});
