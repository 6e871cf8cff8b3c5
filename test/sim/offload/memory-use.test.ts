import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import type { MemoryTier, Node } from "../../../src/hardware/device.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import type { OffloadConfig, SimConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";
import { all, expertBytes, tier } from "./tiers.ts";

const ddr = (experts: number) => tier("ddr", experts, 50e9, 0);
const cxl = (experts: number) => tier("cxl", experts, 18e9, 250);
const nvme = tier("nvme", all, 5e9, 50_000);

interface Case {
  readonly tiers: readonly MemoryTier[];
  readonly offload?: Partial<OffloadConfig>;
  readonly device?: Partial<Node["device"]>;
  readonly mapping?: Partial<SimConfig["mapping"]>;
  readonly hostLinkDevices?: number;
  readonly replicas?: number;
  readonly seed?: number;
  readonly concurrency?: number;
  readonly table?: ReturnType<typeof testRouting>;
}
const run = ({
  tiers,
  offload = {},
  device = {},
  mapping = {},
  hostLinkDevices = 1,
  replicas = 1,
  seed = 1,
  concurrency = 1,
  table = testRouting(4, 8, 2, 300, seed),
}: Case) =>
  simulate(
    testConfig({
      node: { ...testNode(device), tiers, hostLinkDevices },
      replicas,
      mapping: { ...singleDevice, ...mapping },
      workload: {
        kind: "closed",
        concurrency,
        requests: testRequests(Array.from({ length: 6 }, (_, i) => ({ prompt: 1 + (i % 3), output: 30 }))),
      },
      routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
      offload: testOffload({ slots: 3, hostBytes: Number.MAX_SAFE_INTEGER, ...offload }),
    }),
  );

/** A resource of the run, in experts and busy time; absent where nothing used it. */
const used = ({ resources }: RunResult, name: string) => {
  const { bytes = 0, busyNs = 0 } = resources.find((resource) => resource.name === name) ?? {};
  return { experts: bytes / expertBytes, busyNs };
};
const items = ({ memory }: RunResult, at: number) =>
  memory.tiers[at]!.items.filter(({ name }) => /cache of|page cache|home/.test(name)).map(({ name, bytes }) => [
    name,
    bytes / expertBytes,
  ]);
/** What a run does, without what only tells how it was counted. */
const figures = ({ endNs, time, cache }: RunResult) => ({ endNs, time, misses: cache!.misses, disk: cache!.diskReads });

const parts = fc.record({
  slots: fc.integer({ min: 2, max: 7 }),
  overlap: fc.boolean(),
  pinned: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe("what devices wait for", () => {
  test("sums to the time that they stood still, whatever lies behind them", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        parts,
        fc.constantFrom<Partial<OffloadConfig>>(
          {},
          { hostCache: "exclusive" },
          { pageCache: 5 * expertBytes },
          { diskPath: "direct" },
          { diskPath: "direct", tiering: "lru" },
        ),
        fc.constantFrom(1, 2),
        fc.integer({ min: 4, max: 12 }),
        ({ seed, ...cache }, options, replicas, near) => {
          const { cache: result } = run({
            tiers: [ddr(near + 5), cxl(near), nvme],
            offload: { ...cache, ...options, hostBytes: near * expertBytes },
            hostLinkDevices: 2,
            replicas,
            concurrency: 2,
            seed,
          });
          const { stallNs, stallBy = {} } = result!;
          for (const name of Object.keys(stallBy)) seen.add(name);
          expect(Object.values(stallBy).reduce((sum, ns) => sum + ns, 0)).toBeCloseTo(stallNs, 0);
        },
      ),
      { numRuns: drawn(40), seed: 3 },
    );
    expect([...seen].sort()).toEqual(
      ["CXL memory", "NVMe", "common host link", "host link", "host memory", "page cache", "write-back"].filter(
        (name) => seen.has(name),
      ),
    );
    expect([...seen]).toEqual(expect.arrayContaining(["NVMe", "host link", "CXL memory"]));
  });

  test("is the slowest of what an expert passes", () => {
    const waits = (slow: Partial<Record<"ddr" | "link" | "nvme", number>>, hostExperts: number) => {
      const rate = (of: "ddr" | "link" | "nvme") => slow[of] ?? 1e15;
      const { stallBy = {} } = run({
        tiers: [tier("ddr", all, rate("ddr"), 0), tier("nvme", all, rate("nvme"), 0)],
        device: { hostLink: { name: "pcie", bytesPerSecond: rate("link"), latencyNs: 0, efficiency: 1 } },
        offload: { hostBytes: hostExperts * expertBytes },
      }).cache!;
      return Object.keys(stallBy).filter((name) => stallBy[name]! > 1e3);
    };
    expect(waits({ ddr: 1e9 }, all)).toEqual(["host memory"]);
    expect(waits({ link: 1e9 }, all)).toEqual(["host link"]);
    expect(waits({ nvme: 1e9 }, 0)).toEqual(["NVMe"]);
    expect(waits({ nvme: 1e9, link: 1e9 }, 0)).toEqual(["host link", "NVMe"]);
  });
});

describe("a page cache in front of disks", () => {
  const paged = (pages: number, more: Partial<Case> & { readonly offload?: Partial<OffloadConfig> } = {}) =>
    run({
      tiers: [ddr(pages + 4), nvme],
      ...more,
      offload: { hostBytes: 4 * expertBytes, pageCache: pages * expertBytes, ...more.offload },
    });

  test("stands in the memory plan beside the experts that memory caches", () => {
    expect(items(paged(6), 1)).toEqual([
      ["cache of 4 experts", 4],
      ["page cache", 6],
    ]);
    // No more than there is to read.
    expect(items(paged(all + 6), 1).at(-1)).toEqual(["page cache", all]);
    expect(items(paged(6, { offload: { pageCache: "rest" } }), 1).at(-1)).toEqual(["page cache", 6]);
  });

  test("spares a disk read for every hit, at a copy by memory that reads and writes", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: all }), ({ seed, ...cache }, pages) => {
        const without = run({ tiers: [ddr(4), nvme], offload: cache, seed });
        const { cache: result, ...rest } = paged(pages, { offload: cache, seed });
        expect(result!.misses).toBe(without.cache!.misses);
        expect(result!.pageCacheHits! + result!.diskReads).toBe(without.cache!.diskReads);
        const memory = used({ cache: result, ...rest } as RunResult, "host memory of node 0").experts;
        expect(memory).toBeCloseTo(result!.misses + 2 * result!.pageCacheHits!, 6);
      }),
      { numRuns: drawn(20) },
    );
  });

  test("of no bytes changes nothing", () => {
    const { seed, ...cache } = { seed: 4, slots: 3 };
    expect(figures(paged(0, { offload: cache, seed }))).toEqual(
      figures(run({ tiers: [ddr(4), nvme], offload: cache, seed })),
    );
  });

  test("is never slower for a replica alone when it is larger", () => {
    fc.assert(
      fc.property(
        parts,
        fc.integer({ min: 0, max: all }),
        fc.nat(all),
        fc.boolean(),
        ({ seed, ...cache }, pages, more, unified) => {
          const timed = (count: number) =>
            unified
              ? run({
                  tiers: [nvme],
                  device: { hostLink: null },
                  offload: { ...cache, pinned: true, pageCache: count * expertBytes },
                  seed,
                }).endNs
              : paged(count, { offload: cache, seed }).endNs;
          expect(timed(pages + more)).toBeLessThanOrEqual(timed(pages));
        },
      ),
      { numRuns: drawn(25) },
    );
  });

  test("serves all replicas of a node: what one has read, others copy", () => {
    const reads = (replicas: number) => {
      const { cache } = run({
        tiers: [ddr(all), nvme],
        offload: { hostBytes: 0, pageCache: all * expertBytes },
        replicas,
        concurrency: 2,
      });
      expect(cache!.misses).toBe(cache!.diskReads + cache!.pageCacheHits!);
      return cache!.diskReads;
    };
    const distinct = new Set(Array.from(testRouting().ids, (id, i) => 8 * (Math.floor(i / 2) % 4) + id)).size;
    expect([reads(1) <= distinct, reads(2) <= distinct]).toEqual([true, true]);
  });

  /** Slots and pages in one memory of `experts` in all. */
  const shared = (slots: number, experts: number, seed = 1) =>
    run({
      tiers: [nvme],
      device: { hostLink: null },
      offload: { slots, scope: "global", pageCache: (experts - slots) * expertBytes, pageCopyBytesPerSecond: 1e12 },
      seed,
    });

  test("holds what the slots hold too: in one memory a larger expert cache hits more and reads more from the disk", () => {
    const runs = [4, 10, 16, 30].map((slots) => shared(slots, 30));
    const hits = runs.map(({ cache }) => cache!.hits);
    expect(hits).toEqual(hits.toSorted((a, b) => a - b));
    const [few, some, half, most] = runs.map(({ cache }) => cache!.diskReads) as [number, number, number, number];
    expect(few).toBeLessThan(some);
    expect(some).toBeLessThan(half);
    expect(most).toBeLessThan(half);
    // And the run collapses where both hold the same.
    const ends = runs.map(({ endNs }) => endNs);
    expect(ends[2]! / ends[0]!).toBeGreaterThan(1.5);
    expect(ends[2]! / ends[3]!).toBeGreaterThan(1.5);
  });

  test("and slots under LRU never need fewer disk reads than slots alone in all of their memory", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 24 }),
        fc.nat(24),
        fc.integer({ min: 1, max: 1e6 }),
        (slots, pages, seed) => {
          expect(shared(slots, slots + pages, seed).cache!.diskReads).toBeGreaterThanOrEqual(
            shared(slots + pages, slots + pages, seed).cache!.diskReads,
          );
        },
      ),
      { numRuns: drawn(20) },
    );
  });

  test("of unified memory takes what weights, slots and KV cache leave, or is set aside before", () => {
    const on = (pageCache: number | "rest", memoryBytes: number) =>
      run({ tiers: [nvme], device: { hostLink: null, memoryBytes }, offload: { pageCache } });
    const [map] = on("rest", 6e7).memory.tiers;
    expect(map!.usedBytes).toBe(Math.min(map!.capacityBytes, map!.usedBytes));
    expect(map!.items.at(-1)!.name).toBe("page cache");
    const stated = on(4 * expertBytes, 1e9).memory;
    expect(stated.tiers[0]!.items.find(({ name }) => name === "page cache")!.bytes).toBe(4 * expertBytes);
    expect(() => on(6e7, 6e7)).toThrow(InfeasibleError);
    expect(() => on(6e7, 6e7)).toThrow(/page cache +57.2 MiB/);
  });
});

describe("exclusive host memory", () => {
  /** Everything but the disk takes no time. */
  const instant = {
    tiers: [tier("ddr", all, 1e60, 0), nvme],
    device: { hostLink: { name: "pcie", bytesPerSecond: 1e60, latencyNs: 0, efficiency: 1 } },
  };
  const cached = (hostCache: "inclusive" | "exclusive", slots: number, host: number, seed: number, more = {}) =>
    run({ ...instant, offload: { slots, scope: "global", hostBytes: host * expertBytes, hostCache }, seed, ...more });

  test("and slots are one LRU cache, as large as both", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 20 }),
        fc.integer({ min: 2, max: 20 }),
        fc.nat(1e6),
        (slots, host, seed) => {
          const both = run({ ...instant, offload: { slots: slots + host, scope: "global", hostBytes: 0 }, seed });
          const exclusive = cached("exclusive", slots, host, seed);
          expect(exclusive.cache!.diskReads).toBe(both.cache!.misses);
          expect(exclusive.cache!.misses).toBe(cached("inclusive", slots, host, seed).cache!.misses);
        },
      ),
      { numRuns: drawn(20) },
    );
  });

  test("never reads more from a disk than inclusive memory of its size, under LRU", () => {
    let fewer = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 20 }),
        fc.integer({ min: 0, max: 24 }),
        fc.nat(1e6),
        (slots, host, seed) => {
          const [exclusive, inclusive] = (["exclusive", "inclusive"] as const).map(
            (how) => cached(how, slots, host, seed).cache!.diskReads,
          ) as [number, number];
          expect(exclusive).toBeLessThanOrEqual(inclusive);
          if (exclusive < inclusive) fewer++;
        },
      ),
      { numRuns: drawn(20), seed: 5 },
    );
    expect(fewer).toBeGreaterThan(5);
  });

  test("gets back what devices give up, over the other direction of their links", () => {
    const back = run({ tiers: [ddr(8), nvme], offload: { hostCache: "exclusive" } });
    const { writtenBackBytes = 0, fetchedBytes, misses } = back.cache!;
    const link = used(back, "host link back of rank 0");
    expect(link.experts).toBe(writtenBackBytes / expertBytes);
    expect(writtenBackBytes).toBeGreaterThan(0);
    expect(writtenBackBytes).toBeLessThan(fetchedBytes);
    // Memory reads every expert that is fetched, and writes each that comes back.
    const memory = used(back, "host memory of node 0").experts;
    expect(memory).toBeLessThanOrEqual(misses + link.experts + 1e-6);
    expect(memory).toBeGreaterThanOrEqual(misses + link.experts - 1);
    // Each direction has a line of its own: nobody waits for what goes back.
    expect(used(back, "host link of rank 0").busyNs / misses).toBeCloseTo(link.busyNs / link.experts, 6);
  });

  test("takes in nothing that a device keeps, and what is not kept there stays", () => {
    const fixed = { policy: cachePolicies.static, popularity: Float64Array.from({ length: all }, (_, i) => all - i) };
    const [exclusive, inclusive] = (["exclusive", "inclusive"] as const).map((hostCache) =>
      run({ tiers: [ddr(20), nvme], offload: { ...fixed, slots: 12, scope: "global", hostCache } }),
    );
    // A fixed set gives nothing up: all that is missing passes host memory, and stays.
    expect(exclusive!.cache!.writtenBackBytes).toBe(0);
    expect(figures(exclusive!)).toEqual(figures(inclusive!));
  });

  test("of several ranks, replicas and common links keeps its books", () => {
    for (const mapping of [{ tp: 2, ep: 2 }, { tp: 2, etp: 2 }, { pp: 2 }, { dp: 2, ep: 2 }]) {
      const back = run({
        tiers: [ddr(16), nvme],
        offload: { hostCache: "exclusive", slots: 2, pageCache: "rest", hostBytes: 12 * expertBytes },
        mapping,
        hostLinkDevices: 2,
        replicas: 2,
        concurrency: 4,
      });
      const { etp = 1 } = mapping as { etp?: number };
      const common = back.resources.filter(({ name }) => /^common host link \d+ back/.test(name));
      expect(common.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(etp * back.cache!.writtenBackBytes!);
      expect(back.cache!.writtenBackBytes).toBeGreaterThan(0);
    }
  });
});

describe("memories that experts move between", () => {
  const tiered = (tiering: "static" | "lru", near: number, seed = 1, more: Partial<Case> = {}) =>
    run({ tiers: [ddr(near), cxl(all - near)], offload: { tiering }, seed, ...more });

  test("hold what they hold, and devices miss as before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: all - 1 }), fc.nat(1e6), (near, seed) => {
        const [moving, still] = [tiered("lru", near, seed), tiered("static", near, seed)];
        expect(moving.cache!.misses).toBe(still.cache!.misses);
        const { promotions = 0 } = moving.cache!;
        // Each swap that is done reads and writes two experts in both memories; one more may be under way.
        for (const name of ["host memory of node 0", "CXL memory of node 0"])
          expect(used(moving, name).experts).toBeGreaterThanOrEqual(2 * promotions - 1e-6);
        const total = (of: RunResult) =>
          used(of, "host memory of node 0").experts + used(of, "CXL memory of node 0").experts;
        expect(total(moving) - total(still)).toBeGreaterThanOrEqual(4 * promotions - 1e-6);
        expect(total(moving) - total(still)).toBeLessThanOrEqual(4 * (promotions + 1) + 1e-6);
      }),
      { numRuns: drawn(15) },
    );
  });

  test("change nothing where the nearest holds all experts, or none", () => {
    for (const near of [all, 0]) {
      const tiers = [ddr(near), cxl(all)];
      expect(figures(run({ tiers, offload: { tiering: "lru" } }))).toEqual(figures(run({ tiers })));
    }
  });

  test("bring hot experts nearer: those of the last layers, where the first filled the nearest memory", () => {
    // The last layer takes turns between four experts, more than it has slots for; the others always need the same two.
    const rows = 300;
    const ids = Uint8Array.from({ length: rows * 4 * 2 }, (_, i) => {
      const row = Math.floor(i / 8);
      const layer = Math.floor(i / 2) % 4;
      return layer < 3 ? i % 2 : 2 * (row % 2) + (i % 2);
    });
    const table = { ...testRouting(4, 8, 2, rows), ids };
    const far = { ...cxl(16), read: { ...cxl(16).read, bytesPerSecond: 2e9 } };
    const [moving, still] = (["lru", "static"] as const).map((tiering) =>
      run({ tiers: [ddr(16), far], offload: { tiering, slots: 2 }, table }),
    );
    // The four, and at most the two of the third layer when they are first read.
    expect(moving!.cache!.promotions).toBeGreaterThanOrEqual(4);
    expect(moving!.cache!.promotions).toBeLessThanOrEqual(6);
    expect(moving!.endNs).toBeLessThan(0.6 * still!.endNs);
    expect(moving!.cache!.stallBy!["CXL memory"]).toBeLessThan(0.1 * still!.cache!.stallBy!["CXL memory"]!);
  });

  test("are refused where the nearest caches disks: they would not hold all experts", () => {
    const small = () => run({ tiers: [ddr(6), cxl(10), nvme], offload: { tiering: "lru" } });
    expect(small).toThrow(InfeasibleError);
    expect(small).toThrow(/tiering lru moves experts .*: 6 MiB needed on a node, 3 MiB available; .*diskPath: direct/);
  });
});
