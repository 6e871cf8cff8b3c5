import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import type { MemoryTier } from "../../../src/hardware/device.ts";
import type { OffloadConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";

/** Of the tiny model: 4 layers of 8 experts. */
const expertBytes = 3 * 256 * 128 * 2;
const all = 32;

const tier = (
  kind: MemoryTier["kind"],
  experts: number,
  bytesPerSecond: number,
  latencyNs: number,
  id: string = kind,
) => ({
  id,
  kind,
  bytes: experts * expertBytes,
  read: { name: id, bytesPerSecond, latencyNs, efficiency: 1 },
});
const ddr = (experts: number) => tier("ddr", experts, 50e9, 0);
const cxl = (experts: number) => tier("cxl", experts, 18e9, 250);
const nvme = (experts: number, id?: string) => tier("nvme", experts, 5e9, 50_000, id);

interface Case {
  readonly tiers: readonly MemoryTier[];
  readonly offload?: Partial<OffloadConfig>;
  readonly replicas?: number;
  readonly etp?: number;
  readonly seed?: number;
  readonly concurrency?: number;
}
const run = ({ tiers, offload = {}, replicas = 1, etp = 1, seed = 1, concurrency = 2 }: Case) =>
  simulate(
    testConfig({
      node: { ...testNode(), tiers },
      replicas,
      mapping: { ...singleDevice, tp: etp, etp },
      workload: {
        kind: "closed",
        concurrency,
        requests: testRequests(Array.from({ length: 8 }, (_, i) => ({ prompt: 3 + i, output: 20 }))),
      },
      routing: { kind: "replay", table: testRouting(4, 8, 2, 300, seed), layerMap: [0, 1, 2, 3], start: "zero" },
      offload: testOffload({ slots: 3, hostBytes: Number.MAX_SAFE_INTEGER, ...offload }),
    }),
  );
const behind = ({ memory }: ReturnType<typeof run>) =>
  memory.tiers.slice(1).map(({ tier: id, usedBytes, items }) => [id, usedBytes / expertBytes, items[0]!.name]);
const bytesOf = ({ resources }: ReturnType<typeof run>, name: string) =>
  (resources.find((resource) => resource.name === `${name} of node 0`)?.bytes ?? 0) / expertBytes;

describe("experts live in the first tier that has room", () => {
  test("memory alone: nothing is read from a disk, and each tier serves what lives in it", () => {
    const split = run({ tiers: [ddr(20), cxl(40), nvme(all)] });
    expect(behind(split)).toEqual([
      ["ddr", 20, "home of 20 experts"],
      ["cxl", 12, "home of 12 experts"],
    ]);
    expect(split.cache!.diskReads).toBe(0);
    expect(bytesOf(split, "host memory")).toBeGreaterThan(0);
    expect(bytesOf(split, "CXL memory")).toBeGreaterThan(0);
    expect(bytesOf(split, "host memory") + bytesOf(split, "CXL memory")).toBe(split.cache!.misses);
  });

  test("and disks: memory behind the first keeps its share, the first caches what lives on disks", () => {
    const spread = run({ tiers: [ddr(6), cxl(10), nvme(12, "a"), nvme(10, "b"), nvme(99, "c")] });
    expect(behind(spread)).toEqual([
      ["ddr", 6, "cache of 6 experts"],
      ["cxl", 10, "home of 10 experts"],
      ["a", 12, "home of 12 experts"],
      ["b", 10, "home of 10 experts"],
    ]);
    const [a, b, c] = ["NVMe a", "NVMe b", "NVMe c"].map((name) => bytesOf(spread, name));
    expect(Math.min(a!, b!)).toBeGreaterThan(0);
    expect([a! + b!, c]).toEqual([spread.cache!.diskReads, 0]);
  });

  test("replicas have even shares of every memory tier, and one copy on the disks", () => {
    const shared = run({ tiers: [ddr(6), cxl(20), nvme(all)], replicas: 2 });
    expect(behind(shared)).toEqual([
      ["ddr", 6, "cache of 3 experts, for each of 2 replicas"],
      ["cxl", 20, "home of 10 experts, for each of 2 replicas"],
      ["nvme", 22, "home of 22 experts"],
    ]);
  });

  test("whatever does not fit all of them together is refused, with what there is", () => {
    const small = () => run({ tiers: [ddr(6), cxl(10), nvme(21)] });
    expect(small).toThrow(InfeasibleError);
    expect(small).toThrow(
      /6 MiB needed on a node, 1.88 MiB of CXL memory and 3.94 MiB of NVMe available; 1.13 MiB of host memory cache what lives/,
    );
    // Where memory is a home, it counts.
    expect(() => run({ tiers: [ddr(6), cxl(10), nvme(15)], offload: { diskPath: "direct" } })).toThrow(
      /6 MiB needed on a node, 1.13 MiB of host memory, 1.88 MiB of CXL memory and 2.81 MiB of NVMe available$/,
    );
    expect(() => run({ tiers: [ddr(6)] })).toThrow(/6 MiB needed on a node, 1.13 MiB of host memory and 0 B of NVMe/);
    expect(() => run({ tiers: [nvme(6)] })).toThrow(/6 MiB needed on a node, 1.13 MiB of NVMe available$/);
    expect(() => run({ tiers: [] })).toThrow(/6 MiB needed on a node, 0 B of NVMe available$/);
  });
});

test("experts that disks send straight leave all of memory to others, which live there", () => {
  const straight = run({ tiers: [ddr(6), cxl(10), nvme(all)], offload: { diskPath: "direct" } });
  expect(behind(straight)).toEqual([
    ["ddr", 6, "home of 6 experts"],
    ["cxl", 10, "home of 10 experts"],
    ["nvme", 16, "home of 16 experts"],
  ]);
  const { misses, diskReads } = straight.cache!;
  const [near, far, disk] = ["host memory", "CXL memory", "NVMe"].map((name) => bytesOf(straight, name));
  expect(Math.min(near!, far!, disk!)).toBeGreaterThan(0);
  expect([disk, near! + far! + disk!]).toEqual([diskReads, misses]);
  expect(straight.ledger.find(({ topic }) => topic === "direct disk reads")?.fidelity).toBe("assumed");
});

describe("laws", () => {
  const draw = fc.record({
    ddr: fc.integer({ min: 0, max: 40 }),
    cxl: fc.integer({ min: 0, max: 40 }),
    slots: fc.integer({ min: 1, max: 7 }),
    overlap: fc.boolean(),
    pinned: fc.boolean(),
    etp: fc.constantFrom(1, 2),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });

  test("for one replica, memory in front of a disk is never slower than less of it", () => {
    fc.assert(
      fc.property(draw, ({ ddr: near, cxl: far, slots, overlap, pinned, etp, seed }) => {
        const timed = (tiers: readonly MemoryTier[]) =>
          run({ tiers, offload: { slots, overlap, pinned }, etp, seed }).endNs;
        const disk = timed([nvme(all)]);
        const both = timed([ddr(near), nvme(all)]);
        expect(both).toBeLessThanOrEqual(disk);
        expect(timed([ddr(near), cxl(far), nvme(all)])).toBeLessThanOrEqual(both);
      }),
      { numRuns: drawn(25) },
    );
  });

  test("for one replica, a direct path is never slower than one through memory that caches nothing", () => {
    fc.assert(
      fc.property(draw, ({ ddr: near, cxl: far, ...parts }) => {
        const { etp, seed, ...offload } = parts;
        const timed = (diskPath: "host" | "direct", first: number) =>
          run({ tiers: [ddr(first), cxl(far), nvme(all)], offload: { ...offload, diskPath }, etp, seed });
        const through = timed("host", 0);
        const straight = timed("direct", 0);
        expect(straight.endNs).toBeLessThanOrEqual(through.endNs);
        expect(straight.cache!.diskReads).toBe(through.cache!.diskReads);
        expect(timed("direct", near).endNs).toBeLessThanOrEqual(straight.endNs);
      }),
      { numRuns: drawn(15) },
    );
  });

  test("with all experts in memory a direct path changes nothing", () => {
    fc.assert(
      fc.property(draw, ({ ddr: near, slots, overlap, pinned, etp, seed }) => {
        const offload = { slots, overlap, pinned };
        const tiers = [ddr(near), cxl(all), nvme(all)];
        const timed = (diskPath: "host" | "direct") => run({ tiers, offload: { ...offload, diskPath }, etp, seed });
        expect(timed("direct")).toEqual(timed("host"));
      }),
      { numRuns: drawn(10) },
    );
  });

  test("a tier that holds all experts is the last one that is used", () => {
    fc.assert(
      fc.property(draw, ({ cxl: far, slots, overlap, pinned, etp, seed }) => {
        const parts = { offload: { slots, overlap, pinned }, etp, seed };
        const alone = run({ tiers: [ddr(all)], ...parts });
        const { laws: _, ...rest } = run({ tiers: [ddr(all), cxl(far), nvme(all)], ...parts });
        expect(rest).toEqual((({ laws: __, ...of }) => of)(alone));
        expect(alone.cache!.diskReads).toBe(0);
      }),
      { numRuns: drawn(10) },
    );
  });

  test("memory cut into tiers of one speed is one tier, for a device that reads alone", () => {
    fc.assert(
      fc.property(draw, fc.nat(all), ({ slots, overlap, pinned, seed }, first) => {
        const parts = { offload: { slots, overlap, pinned }, seed };
        const cut = [ddr(first), { ...ddr(all - first), id: "more" }];
        const figures = ({ endNs, time, cache }: ReturnType<typeof run>) => ({ endNs, time, cache });
        expect(figures(run({ tiers: cut, ...parts }))).toEqual(figures(run({ tiers: [ddr(all)], ...parts })));
      }),
      { numRuns: drawn(20) },
    );
  });

  test("where experts live changes no hit, and one more slot never hits less", () => {
    fc.assert(
      fc.property(draw, ({ ddr: near, cxl: far, slots, overlap, seed }) => {
        // One request at a time: what a step computes does not depend on how long steps take.
        const hits = (tiers: readonly MemoryTier[], count: number) =>
          run({ tiers, offload: { slots: count, overlap }, seed, concurrency: 1 }).cache!.hits;
        const chain = hits([ddr(near), cxl(far), nvme(all)], slots);
        expect(chain).toBe(hits([ddr(all)], slots));
        expect(hits([ddr(near), cxl(far), nvme(all)], slots + 1)).toBeGreaterThanOrEqual(chain);
      }),
      { numRuns: drawn(20) },
    );
  });

  test("out of pageable memory every transfer waits for a copy by the processor", () => {
    const [pinned, pageable] = [true, false].map((value) => run({ tiers: [ddr(all)], offload: { pinned: value } }));
    const busy = (of: typeof pinned) => of!.resources.find(({ name }) => name === "host link of rank 0")!.busyNs;
    const { misses } = pageable!.cache!;
    expect(pinned!.cache!.misses).toBe(misses);
    expect((busy(pageable) - busy(pinned)) / misses).toBeCloseTo(expertBytes / 10.5, 3);
    expect(pageable!.endNs).toBeGreaterThan(pinned!.endNs);
  });
});
