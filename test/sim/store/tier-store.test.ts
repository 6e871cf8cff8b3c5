import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LruRanking } from "../../../src/sim/store/lru-ranking.ts";
import { TierStore } from "../../../src/sim/store/tier-store.ts";
import { drawn } from "../../drawn.ts";
import { NaiveStore } from "./naive-store.ts";

const keys = 8;
const store = (capacityBytes: number) => new TierStore(keys, capacityBytes, new LruRanking(keys));

/** What is done to a store, at steps of time. */
const operation = fc.record({
  kind: fc.constantFrom("arrive", "arrive", "arrive", "use", "pin", "unpin", "evict", "ends", "withdraw"),
  key: fc.nat(keys - 1),
  bytes: fc.integer({ min: 1, max: 6 }),
  /** Until the transfer ends; not known for the largest. */
  ns: fc.nat(6),
  gapNs: fc.nat(3),
});

describe("a store against a list that is searched", () => {
  test("is in the same state after any operations, and refuses what the list says cannot be", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), fc.nat(20), (operations, capacity) => {
        const real = store(capacity);
        const naive = new NaiveStore(capacity);
        let now = 0;
        for (const { kind, key, bytes, ns, gapNs } of operations) {
          now += gapNs;
          const endNs = ns === 6 ? Number.POSITIVE_INFINITY : now + ns;
          const state = naive.at(key, now);
          const entry = naive.find(key);
          switch (kind) {
            case "arrive":
              if (state === "absent")
                expect(real.arrive(key, bytes, now, endNs)).toBe(naive.arrive(key, bytes, now, endNs));
              else expect(() => real.arrive(key, bytes, now, endNs)).toThrow(/store-state/);
              break;
            case "use":
              if (entry === undefined) expect(() => real.use(key)).toThrow(/store-state/);
              else {
                real.use(key);
                naive.use(key);
              }
              break;
            case "pin":
              if (entry === undefined) expect(() => real.pin(key)).toThrow(/store-state/);
              else {
                real.pin(key);
                entry.pins++;
              }
              break;
            case "unpin":
              if ((entry?.pins ?? 0) === 0) expect(() => real.unpin(key)).toThrow(/store-pin/);
              else {
                real.unpin(key);
                entry!.pins--;
              }
              break;
            case "evict":
              if (state !== "resident" || entry!.pins > 0) expect(() => real.evict(key, now)).toThrow(/store-evict/);
              else {
                real.evict(key, now);
                naive.evict(key);
              }
              break;
            case "ends":
              if (entry === undefined) expect(() => real.ends(key, now + ns)).toThrow(/store-state/);
              else if (entry.endNs < Number.POSITIVE_INFINITY)
                expect(() => real.ends(key, now + ns)).toThrow(/store-arrival/);
              else {
                real.ends(key, now + ns);
                entry.endNs = now + ns;
              }
              break;
            case "withdraw":
              if (entry?.endNs !== Number.POSITIVE_INFINITY || entry.pins > 0)
                expect(() => real.withdraw(key)).toThrow(/store-state/);
              else {
                real.withdraw(key);
                naive.evict(key);
              }
              break;
          }
          expect(real.usedBytes).toBe(naive.usedBytes);
          expect(real.usedBytes).toBeLessThanOrEqual(capacity);
          for (let k = 0; k < keys; k++) {
            expect(real.at(k, now)).toBe(naive.at(k, now));
            if (naive.find(k) !== undefined) expect(real.endNs(k)).toBe(naive.find(k)!.endNs);
          }
        }
      }),
      { numRuns: drawn(400) },
    );
  });
});

test("copies of any sizes: room is made in bytes, least recent first, and only as much as is needed", () => {
  const tier = store(10);
  for (const [key, bytes] of [4, 3, 3].entries()) tier.arrive(key, bytes, 0, 0);
  tier.use(0);
  expect(tier.arrive(3, 5, 1, 1)).toBe(true);
  expect([0, 1, 2, 3].map((key) => tier.at(key, 1))).toEqual(["resident", "absent", "absent", "resident"]);
  expect([tier.usedBytes, tier.evictions]).toEqual([9, 2]);
});

test("what is pinned or arriving stays, and where that fills the tier an expert does not enter", () => {
  const tier = store(4);
  tier.arrive(0, 2, 0, 0);
  tier.pin(0);
  tier.arrive(1, 2, 0, 50);
  expect(tier.arrive(2, 1, 49, 60)).toBe(false);
  expect([tier.usedBytes, tier.evictions, tier.at(2, 49)]).toEqual([4, 0, "absent"]);
  expect(tier.arrive(2, 1, 50, 60)).toBe(true);
  expect([tier.at(0, 50), tier.at(1, 50)]).toEqual(["resident", "absent"]);
  expect(tier.arrive(3, 5, 100, 100)).toBe(false);
});

test("one more byte never holds less under LRU, for copies of one size", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(keys - 1), { maxLength: 100 }), fc.nat(keys - 1), (accesses, slots) => {
      const hitsWith = (capacity: number) => {
        const tier = store(capacity);
        let hits = 0;
        for (const [now, key] of accesses.entries())
          if (tier.at(key, now) === "absent") tier.arrive(key, 3, now, now);
          else {
            hits++;
            tier.use(key);
          }
        return hits;
      };
      expect(hitsWith(3 * (slots + 1))).toBeGreaterThanOrEqual(hitsWith(3 * slots));
      expect(hitsWith(3 * slots + 2)).toBe(hitsWith(3 * slots));
    }),
  );
});

test("calls out of order of time, and copies of no bytes, are refused", () => {
  const tier = store(4);
  tier.arrive(0, 1, 10, 10);
  expect(() => tier.arrive(1, 1, 9, 10)).toThrow(/store-order/);
  expect(() => tier.arrive(1, 0, 10, 10)).toThrow(/store-arrival/);
  expect(() => tier.arrive(1, 1, 10, 9)).toThrow(/store-arrival/);
});
