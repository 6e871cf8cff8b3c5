import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { replayLog } from "../../src/policy/cache/call-log.ts";
import type { ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { drawn } from "../drawn.ts";
import { anyCalls, logOf, skewedCalls } from "./call-logs.ts";
import { naiveAdaptive } from "./naive-adaptive.ts";
import { type Access, sequentialAgeing, sequentialArc, sequentialLirs } from "./sequential-caches.ts";

const context = (objects: number, capacity: number) => ({ objects, capacity, popularity: null, future: null });

/** One hit (1) or miss (0) per access, each in a call of its own. */
function served(cache: ExpertCache, accesses: readonly number[]): string {
  const hit = new Uint8Array(1);
  return accesses.map((key) => cache.call(Uint32Array.of(key), 0, 1, hit)).join("");
}

const residents = (cache: ExpertCache, objects: number): number[] =>
  [...Array(objects).keys()].filter((key) => cache.contains(key));

/** Accesses over three times as many objects as slots, a third of them wanted more often. */
const accessesOver = (objects: number, maxLength: number) =>
  fc.array(fc.oneof(fc.nat(objects - 1), fc.nat(Math.ceil(objects / 3) - 1)), { minLength: maxLength / 2, maxLength });

describe("one expert a call", () => {
  const { arc, gdsf, lirs, "lfu-da": lfuDa } = cachePolicies;
  const cases: [string, (capacity: number) => ExpertCache, (capacity: number) => Access][] = [
    ["arc", (c) => arc.create(context(3 * c, c)), sequentialArc],
    ["lirs", (c) => lirs.create(context(3 * c, c)), (c) => sequentialLirs(c, false)],
    ["lfu-da", (c) => lfuDa.create(context(3 * c, c)), (c) => sequentialAgeing(c, false)],
    ["gdsf with bypass", (c) => gdsf.create(context(3 * c, c), { bypass: true }), (c) => sequentialAgeing(c, true)],
  ];
  test.each(cases)("%s hits what the published algorithm hits", (name, create, algorithm) => {
    // The paper's LIRS has at least one slot of either kind.
    const runs = fc
      .integer({ min: name === "lirs" ? 2 : 1, max: 16 })
      .chain((c) => fc.tuple(fc.constant(c), accessesOver(3 * c, 40 * c)));
    fc.assert(
      fc.property(runs, ([capacity, accesses]) => {
        const access = algorithm(capacity);
        const expected = accesses.map((key) => Number(access(key))).join("");
        expect(served(create(capacity), accesses)).toBe(expected);
      }),
      { numRuns: drawn(150) },
    );
  });

  test("lirs as shipped hits what it hits there, from two slots of high recency on", () => {
    const capacity = 210;
    const runs = accessesOver(3 * capacity, 5000);
    let different = 0;
    fc.assert(
      fc.property(runs, (accesses) => {
        const access = sequentialLirs(capacity, true);
        const expected = accesses.map((key) => Number(access(key))).join("");
        const cache = lirs.create(context(3 * capacity, capacity), { highShare: 0.01, variant: "repo" });
        expect(served(cache, accesses)).toBe(expected);
        if (served(lirs.create(context(3 * capacity, capacity)), accesses) !== expected) different++;
      }),
      { numRuns: drawn(3) },
    );
    expect(different).toBeGreaterThan(0);
  });
});

describe("worked by hand", () => {
  test("arc gives slots to recency when an expert evicted after one use comes back", () => {
    const cache = cachePolicies.arc.create(context(8, 3));
    // 0 and 1 twice: T2 = 0 1. 2: T1 = 2. 3: L1 has room and p is 0, so 2 leaves T1 for B1; T1 = 3.
    expect(served(cache, [0, 1, 0, 1, 2, 3])).toBe("001100");
    expect(residents(cache, 8)).toEqual([0, 1, 3]);
    // 2 is in B1: p = 1. T1 = 3 is not longer than p, so T2's oldest, 0, leaves; T2 = 1 2.
    expect(served(cache, [2])).toBe("0");
    expect(residents(cache, 8)).toEqual([1, 2, 3]);
    // 0 is in B2, whose length is 1 as that of B1, 0, is not larger: p = 0, and T1 = 3 is longer. T2 = 1 2 0.
    expect(served(cache, [0])).toBe("0");
    expect(residents(cache, 8)).toEqual([0, 1, 2]);
  });

  test("lirs keeps what it saw twice soon, and lets a scan pass through one slot", () => {
    const cache = cachePolicies.lirs.create(context(9, 3));
    // 0 and 1 fill the two slots of low recency; the rest takes turns in the third.
    expect(served(cache, [0, 1, 2, 3, 4, 5, 0, 1])).toBe("00000011");
    expect(residents(cache, 9)).toEqual([0, 1, 5]);
    // 6 evicts 5. 6 again, soon: of low recency now, so 0, the oldest such, goes to the queue and is the next victim.
    expect(served(cache, [6, 6, 7])).toBe("010");
    expect(residents(cache, 9)).toEqual([1, 6, 7]);
  });

  test("lfu-da lets a newcomer start at the priority of the last victim", () => {
    const cache = cachePolicies["lfu-da"].create(context(9, 2));
    // 0 at 4. 1 at 1, evicted by 2: the age is 1, 2 at 2; then 3 at 3, 4 at 4, which is as much as 0 and more recent.
    expect(served(cache, [0, 0, 0, 0, 1, 2, 3, 4])).toBe("01110000");
    expect(residents(cache, 9)).toEqual([0, 4]);
    // Age 4 after the victim 0: 5 at 5.
    expect(served(cache, [5])).toBe("0");
    expect(residents(cache, 9)).toEqual([4, 5]);
  });

  test("gdsf ranks a newcomer by the age before it makes room, and may turn it away with bypass", () => {
    const cache = cachePolicies.gdsf.create(context(9, 2));
    // 0 at 4, 1 at 1. 2 at 1; 1 goes, age 1. 3 at 2; 2 goes, at 1. 4 at 2; 3 goes, age 2. 5 at 3; 4 goes, at 2. 6 at 3; 5 goes.
    expect(served(cache, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6])).toBe("0111000000");
    expect(residents(cache, 9)).toEqual([0, 6]);
    const bypass = cachePolicies.gdsf.create(context(9, 2), { bypass: true });
    // 0 and 1 at 2; 2 at 1 is the least and leaves at once; age 1. 2 again at 2, after 0 and 1: 0 leaves.
    expect(served(bypass, [0, 0, 1, 1, 2])).toBe("01010");
    expect(residents(bypass, 9)).toEqual([0, 1]);
    expect(served(bypass, [2])).toBe("0");
    expect(residents(bypass, 9)).toEqual([1, 2]);
  });

  test("lhd lets go what is old, and learns to keep an expert that hits in time", () => {
    const cache = cachePolicies.lhd.create({ ...context(9, 3), seed: 1 }, { samples: 64, relearnEvery: 2000 });
    // 0 is used every third access, a different expert in between: all others never hit while they stay.
    const accesses = Array.from({ length: 6000 }, (_, i) => (i % 3 === 0 ? 0 : 1 + (i % 8)));
    const late = served(cache, accesses).slice(3000);
    const asked = late.split("").filter((_, i) => i % 3 === 0);
    const hits = asked.filter((bit) => bit === "1").length;
    expect(hits / asked.length).toBeGreaterThan(0.95);
  });
});

describe("parameters", () => {
  const runs = fc.tuple(fc.oneof(anyCalls(12), skewedCalls(12)), fc.integer({ min: 1, max: 12 }));

  test.each([
    { highShare: 0, variant: "paper" },
    { highShare: 0.3, variant: "paper" },
    { highShare: 1, variant: "paper" },
    { highShare: 0.3, variant: "repo" },
  ] as const)("lirs with %o counts as the reference", (values) => {
    fc.assert(
      fc.property(runs, ([calls, capacity]) => {
        const log = logOf(calls);
        const naive = naiveAdaptive.lirs(context(12, capacity), values);
        expect(replayLog(log, cachePolicies.lirs.create(context(12, capacity), values))).toEqual(replayLog(log, naive));
      }),
    );
  });

  test("gdsf with bypass counts as the reference, and keeps within its slots", () => {
    fc.assert(
      fc.property(runs, ([calls, capacity]) => {
        const log = logOf(calls);
        const naive = naiveAdaptive.gdsf(context(12, capacity), true);
        const cache = cachePolicies.gdsf.create(context(12, capacity), { bypass: true });
        expect(replayLog(log, cache)).toEqual(replayLog(log, naive));
        expect(residents(cache, 12).length).toBe(cache.resident);
      }),
    );
  });

  test.each([
    { samples: 1, relearnEvery: 50 },
    { samples: 32, relearnEvery: 23 },
  ])("lhd with %o learns as the reference", (values) => {
    const accesses = Array.from({ length: 600 }, (_, i) => [i % 2, 2 + ((i * i) % 5), 7 + ((i * 7) % 113)]);
    const log = logOf(accesses);
    for (const capacity of [3, 17, 110]) {
      const naive = naiveAdaptive.lhd(context(120, capacity), values);
      const cache = cachePolicies.lhd.create(context(120, capacity), values);
      expect(replayLog(log, cache)).toEqual(replayLog(log, naive));
      expect(residents(cache, 120)).toEqual(naive.residents().sort((a, b) => a - b));
    }
  });

  test("lhd draws by its seed", () => {
    const log = logOf(Array.from({ length: 400 }, (_, i) => [(i * i) % 12, 12 + (i % 11)]));
    const missesWith = (seed: number) =>
      replayLog(log, cachePolicies.lhd.create({ ...context(24, 8), seed }, { samples: 2, relearnEvery: 64 })).misses;
    expect(missesWith(3)).toBe(missesWith(3));
    expect(new Set([1, 2, 3, 4, 5].map(missesWith)).size).toBeGreaterThan(1);
  });
});
