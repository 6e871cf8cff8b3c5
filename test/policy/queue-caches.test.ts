import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import type { CacheContext, ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { segmentSlots } from "../../src/policy/cache/segments.ts";
import { drawn } from "../drawn.ts";
import { anyCalls, logOf, skewedCalls } from "./call-logs.ts";
import { naiveQueues } from "./naive-queues.ts";

const context = (capacity: number, objects = 12): CacheContext => ({
  objects,
  capacity,
  popularity: null,
  future: null,
});

/** Who is resident after accesses one by one. */
function residentsAfter(cache: ExpertCache, accesses: readonly number[]): number[] {
  replayLog(logOf(accesses.map((key) => [key])), cache);
  return [...Array(12).keys()].filter((key) => cache.contains(key));
}

describe("worked by hand", () => {
  const accesses = [0, 1, 2, 0, 3, 4, 0, 5, 6, 7];

  test("sieve leaves a used expert its place: the hand does not come back to it as soon as clock's", () => {
    expect(residentsAfter(cachePolicies.sieve.create(context(3)), accesses)).toEqual([0, 6, 7]);
    expect(residentsAfter(cachePolicies.clock.create(context(3)), accesses)).toEqual([5, 6, 7]);
  });

  // Small: 2 slots, main: 2, ghost: 4.
  test.each([
    ["paper", [1, 2, 5, 6]],
    ["repo", [0, 1, 2, 6]],
  ] as const)("s3-fifo, %s", (variant, residents) => {
    const cache = cachePolicies["s3-fifo"].create(context(4), { smallShare: 0.5, ghostShare: 1, moveAt: 2, variant });
    expect(residentsAfter(cache, [0, 1, 2, 3, 0, 0, 4, 1, 5, 2, 6])).toEqual(residents);
  });

  test("s3-fifo gives three more chances at most in the main queue, however often an expert was used", () => {
    // One slot each; the five hits of 1 count three.
    const values = { smallShare: 0.5, ghostShare: 1, moveAt: 9, variant: "repo" as const };
    const accesses = [0, 1, 1, 1, 1, 1, 1, 2, 0, 2, 3, 2, 3, 2, 3];
    expect(residentsAfter(cachePolicies["s3-fifo"].create(context(2), values), accesses)).toEqual([2, 3]);
  });

  test("2q takes in those that come back soon", () => {
    const cache = cachePolicies["2q"].create(context(4));
    expect(residentsAfter(cache, [0, 1, 2, 3, 4, 0, 5, 6, 1, 3, 7])).toEqual([0, 1, 3, 7]);
  });

  test("slru moves the least recent of a full segment down", () => {
    const cache = cachePolicies.slru.create(context(4), { segments: [1, 1] });
    expect(residentsAfter(cache, [0, 1, 2, 3, 4, 1, 5, 2, 6])).toEqual([1, 2, 3, 6]);
  });

  test.each(["repo", "paper"] as const)("w-tinylfu lets the less used one of the window go, %s", (variant) => {
    const values = { windowShare: 0.34, protectedShare: 0.5, sample: 32, variant };
    const residents = (accesses: number[]) =>
      residentsAfter(cachePolicies["w-tinylfu"].create(context(3), values), accesses);
    expect(residents([0, 1, 2, 3])).toEqual([0, 1, 3]);
    expect(residents([0, 1, 2, 3, 2])).toEqual([0, 1, 2]);
    expect(residents([0, 1, 2, 3, 2, 4])).toEqual([1, 2, 4]);
  });

  test("random evicts each resident as often, and the same ones for the same seed", () => {
    const victims = (seed: number) => {
      const after = residentsAfter(cachePolicies.random.create({ ...context(4), seed }), [0, 1, 2, 3, 4]);
      return [0, 1, 2, 3].findIndex((key) => !after.includes(key));
    };
    const counts = [0, 0, 0, 0];
    for (let seed = 0; seed < 2000; seed++) counts[victims(seed)]!++;
    // Five standard deviations of a binomial count.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(5 * Math.sqrt(2000 * 0.25 * 0.75));
    expect(victims(7)).toBe(victims(7));
  });

  test("segments have a slot each at least, and the lowest has the rest", () => {
    expect(segmentSlots(40, [1, 1, 1, 1])).toEqual([10, 10, 10, 10]);
    expect(segmentSlots(10, [1, 1, 1, 1])).toEqual([4, 2, 2, 2]);
    expect(segmentSlots(3, [1, 1, 1, 1])).toEqual([1, 1, 1]);
    expect(segmentSlots(6, [1, 100])).toEqual([1, 5]);
    expect(segmentSlots(0, [1, 4])).toEqual([0]);
  });
});

describe("with any parameters, as the reference", () => {
  const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
  const variant = fc.constantFrom("repo" as const, "paper" as const);
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });
  const pairs = fc.oneof(
    fc
      .record({ smallShare: share, ghostShare: share, moveAt: fc.integer({ min: 1, max: 5 }), variant })
      .map((values) => ({
        name: "s3-fifo",
        fast: (given: CacheContext) => cachePolicies["s3-fifo"].create(given, values),
        naive: (given: CacheContext) => naiveQueues["s3-fifo"](given, values),
      })),
    fc.record({ recentShare: share, ghostShare: share }).map((values) => ({
      name: "2q",
      fast: (given: CacheContext) => cachePolicies["2q"].create(given, values),
      naive: (given: CacheContext) => naiveQueues["2q"](given, values),
    })),
    weights.map((segments) => ({
      name: "slru",
      fast: (given: CacheContext) => cachePolicies.slru.create(given, { segments }),
      naive: (given: CacheContext) => naiveQueues.slru(given, segments),
    })),
    fc
      .record({ windowShare: share, protectedShare: share, sample: fc.integer({ min: 1, max: 4 }), variant })
      .map((values) => ({
        name: "w-tinylfu",
        fast: (given: CacheContext) => cachePolicies["w-tinylfu"].create(given, values),
        naive: (given: CacheContext) => naiveQueues["w-tinylfu"](given, values),
      })),
    fc.constantFrom("sieve" as const, "clock" as const, "random" as const).map((name) => ({
      name,
      fast: (given: CacheContext) => cachePolicies[name].create(given),
      naive: (given: CacheContext) => naiveQueues[name](given),
    })),
  );
  const objects = 40;
  const calls = fc.oneof(
    anyCalls(objects, 30),
    skewedCalls(objects, 250),
    fc.array(fc.oneof(fc.nat(objects - 1), fc.nat(9)), { maxLength: 250 }).map((keys) => keys.map((key) => [key])),
  );

  test("call by call", () => {
    fc.assert(
      fc.property(pairs, calls, fc.nat(objects), ({ fast, naive }, calls, capacity) => {
        const log = logOf(calls);
        const [cache, reference] = [fast(context(capacity, objects)), naive(context(capacity, objects))];
        const hit = new Uint8Array(objects);
        for (let call = 0; call < log.calls; call++) {
          const [from, to] = [log.starts[call]!, log.starts[call + 1]!];
          expect(cache.call(log.keys, from, to, hit)).toBe(reference.call(log.keys, from, to, hit));
        }
        for (let key = 0; key < objects; key++) expect(cache.contains(key)).toBe(reference.contains(key));
      }),
      { numRuns: drawn(250) },
    );
  });
});
