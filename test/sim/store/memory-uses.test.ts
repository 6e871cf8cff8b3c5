import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Resource } from "../../../src/core/resource.ts";
import { ExclusiveRoom } from "../../../src/sim/store/exclusive-room.ts";
import { LruRanking } from "../../../src/sim/store/lru-ranking.ts";
import { Migration } from "../../../src/sim/store/migration.ts";
import { PageCache } from "../../../src/sim/store/page-cache.ts";
import { TierStore } from "../../../src/sim/store/tier-store.ts";
import { drawn } from "../../drawn.ts";

const keys = 8;

describe("a page cache", () => {
  const pages = (capacity: number) =>
    new PageCache(keys, capacity, { memory: new Resource(), memoryNs: 4, latencyNs: 1, bytes: 2, threadNs: 3 });

  test("gives what is on its way when it comes, and what is there by one copy of thread and memory", () => {
    const cache = pages(2);
    expect(cache.fill(0, 1, 0, 100)).toBe(100);
    // The thread copies beside the disk; the second is done with it at 6, the third after its own disk read.
    expect(cache.fill(1, 1, 0, 5)).toBe(6);
    expect([cache.has(0, 10), cache.comes(0, 10), cache.comes(1, 10)]).toEqual([true, true, false]);
    expect(cache.read(0, 10)).toBe(100);
    expect(cache.read(1, 20)).toBe(25);
    expect([cache.hits, cache.copiedBytes, cache.copy.memory.bytes]).toEqual([2, 2, 2]);
    // The least recently read goes first, and nothing that is on its way.
    cache.fill(2, 1, 30, 40);
    expect([0, 1, 2].map((key) => cache.has(key, 41))).toEqual([true, false, true]);
    cache.fill(3, 1, 39, 50);
    expect(cache.has(3, 60)).toBe(false);
  });
});

describe("exclusive room", () => {
  const room = () => {
    const store = new TierStore(keys, 2, new LruRanking(keys));
    const memory = new Resource();
    return { store, memory, room: new ExclusiveRoom(keys, store, memory, { ns: 10, bytes: 1 }) };
  };

  test("has what comes back once it is through link and memory, whichever is later", () => {
    const { store, room: own, memory } = room();
    expect([own.reserve(0, 1, 0), own.reserve(1, 1, 0), own.reserve(2, 1, 0)]).toEqual([true, true, false]);
    own.begin(0, 0, 50);
    own.begin(1, 0, 5);
    expect([own.comes(0), store.at(0, 1)]).toEqual([true, "arriving"]);
    own.settle(40);
    expect([store.endNs(0), store.endNs(1), own.comes(0)]).toEqual([50, 20, false]);
    expect([store.at(0, 49), store.at(1, 49), own.writtenBytes, memory.bytes]).toEqual(["arriving", "resident", 2, 2]);
  });

  test("hurries what somebody waits for", () => {
    const { store, room: own, memory } = room();
    memory.demand(0, 100, 0);
    own.reserve(0, 1, 0);
    own.begin(0, 0, 130);
    expect(own.endNs(0, 20)).toBe(130);
    own.reserve(1, 1, 30);
    own.begin(1, 30, 40);
    expect(own.endNs(1, 30)).toBe(120);
    expect([store.endNs(1), own.comes(1), memory.demandBusyNs]).toEqual([120, false, 120]);
  });

  test("takes nothing back that a device still has, or that it has itself", () => {
    const { room: own } = room();
    own.taken(0);
    own.taken(0);
    own.lost(0);
    expect([own.isOnDevice(0), own.reserve(0, 1, 0)]).toEqual([true, false]);
    own.lost(0);
    expect([own.isOnDevice(0), own.reserve(0, 1, 0), own.reserve(0, 1, 0)]).toEqual([false, true, false]);
    expect(() => own.lost(0)).toThrow(/store-state/);
  });
});

test("experts that move between memories change places one by one, and every memory holds as many as before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1, 2, 3), { minLength: keys, maxLength: keys }),
      fc.array(fc.record({ key: fc.nat(keys - 1), gapNs: fc.nat(12) }), { maxLength: 60 }),
      (start, reads) => {
        const homes = Uint8Array.from(start);
        const memories = [0, 1, 2].map(() => new Resource());
        const moves = [2, 3, 5].map((ns) => ({ ns, bytes: 1 }));
        const migration = new Migration(homes, () => true, memories, moves);
        // Tier 3 is a disk: what lives there stays.
        let lru = [...start.entries()].filter(([, tier]) => tier === 0).map(([key]) => key);
        const expected: number[] = [...start];
        let swap: { key: number; victim: number; far: number; endNs: number } | null = null;
        let now = 0;
        let swaps = 0;
        for (const { key, gapNs } of reads) {
          now += gapNs;
          migration.read(key, now);
          if (swap !== null && swap.endNs <= now) {
            const { key: nearer, victim, far } = swap;
            expected[nearer] = 0;
            expected[victim] = far;
            lru = [...lru.filter((other) => other !== victim), nearer];
            swaps++;
            swap = null;
          }
          const home = expected[key]!;
          if (home === 0) lru = [...lru.filter((other) => other !== key), key];
          else if (home < 3 && swap === null && lru.length > 0) {
            // Alone on both memories, read and written each.
            const endNs = now + 2 * Math.max(moves[0]!.ns, moves[home]!.ns);
            swap = { key, victim: lru[0]!, far: home, endNs };
          }
          expect([...homes]).toEqual(expected);
        }
        expect(migration.swaps).toBe(swaps);
        const sorted = (tiers: Iterable<number>) => [...tiers].toSorted((a, b) => a - b);
        expect(sorted(homes)).toEqual(sorted(start));
        expect(migration.doneBytes).toBe(4 * swaps);
      },
    ),
    { numRuns: drawn(300) },
  );
});
