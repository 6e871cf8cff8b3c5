import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { MemoryTier } from "../../../src/hardware/device.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { type MissPolicyName, missPolicies } from "../../../src/policy/miss/miss-policies.ts";
import type { MissPolicy } from "../../../src/policy/miss/miss-policy.ts";
import type { OffloadConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";

/** Of the tiny model: 4 layers of 8 experts, 2 for a token. */
const expertBytes = 3 * 256 * 128 * 2;
const all = 32;
const popularity = Float64Array.from({ length: all }, (_, key) => (key * 5) % 11);

const tier = (kind: MemoryTier["kind"], experts: number, bytesPerSecond: number, latencyNs: number): MemoryTier => ({
  id: kind,
  kind,
  bytes: experts * expertBytes,
  read: { name: kind, bytesPerSecond, latencyNs, efficiency: 1 },
});
const nvme = tier("nvme", all, 5e9, 50_000);
const diskNs = 50_000 + expertBytes / 5;

interface Case {
  readonly kind: MissPolicyName;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly tiers: readonly MemoryTier[];
  readonly offload?: Partial<OffloadConfig>;
  readonly seed?: number;
  readonly prompt?: number;
  readonly replicas?: number;
  readonly table?: ReturnType<typeof testRouting>;
}

/** One request after the other for each replica. */
function run({ kind, values = {}, tiers, offload = {}, seed = 1, prompt = 1, replicas = 1, ...rest }: Case): RunResult {
  const policy: MissPolicy = missPolicies[kind];
  const node = testNode();
  const { table = testRouting(4, 8, 2, 200, seed) } = rest;
  const processor = {
    ...node.device,
    id: "cpu",
    kind: "cpu" as const,
    hostLink: null,
    scaleUp: null,
    peak: { bf16: 2e12 },
  };
  return simulate(
    testConfig({
      node: { ...node, tiers, devicesPerNode: 8, host: { count: 1, device: processor } },
      mapping: singleDevice,
      replicas,
      routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "random" },
      workload: {
        kind: "closed",
        concurrency: replicas,
        requests: testRequests(Array.from({ length: 3 * replicas }, () => ({ prompt, output: 15 }))),
      },
      offload: testOffload({
        policy: cachePolicies.static,
        slots: 3,
        popularity,
        hostBytes: Number.MAX_SAFE_INTEGER,
        miss: { policy, values: z.object(policy.parameters).parse(values) },
        ...offload,
      }),
    }),
  );
}

const ddr = (experts: number) => tier("ddr", experts, 50e9, 80);
/** Everything that experts have of memory are pages of their files. */
const inPages = (pages: number, { offload = {}, ...more }: Omit<Case, "tiers">) =>
  run({ ...more, tiers: [ddr(all), nvme], offload: { ...offload, hostBytes: 0, pageCache: pages * expertBytes } });

const onHost = ["host", "fiddler", "min-max", "row-split", "deferral"] as const;
const parts = fc.record({
  kind: fc.constantFrom(...onHost),
  seed: fc.integer({ min: 1, max: 1e6 }),
  prompt: fc.constantFrom(1, 4, 40),
});

describe("experts that the host computes in pages of files", () => {
  test("take what they take in memory, to the nanosecond, where the pages hold all", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 1e6 }), (slots, seed) => {
        const at = { kind: "host" as const, seed, prompt: 4, offload: { slots } };
        const { cache, endNs, time } = inPages(all, at);
        const memory = run({ ...at, tiers: [ddr(all), nvme] });
        expect([endNs, time]).toEqual([memory.endNs, memory.time]);
        expect(cache!.stallBy).toEqual(memory.cache!.stallBy);
        expect([cache!.diskReads, cache!.pageCacheHits]).toEqual([0, cache!.misses]);
      }),
      { numRuns: drawn(5) },
    );
  });

  test("are read while the processors stand still: the time of the disk on top of that of memory, for each in turn", () => {
    const at = { kind: "host" as const, offload: { slots: 0 } };
    const none = inPages(0, at);
    const memory = run({ ...at, tiers: [ddr(all), nvme] });
    const { misses, diskReads, stallBy } = none.cache!;
    expect(diskReads).toBe(misses);
    // Steps end at whole nanoseconds.
    expect(none.endNs - memory.endNs).toBeCloseTo(misses * diskNs, -2);
    expect(stallBy!["NVMe"]).toBeCloseTo(misses * diskNs, 0);
    expect(stallBy!["host processors"]).toBeCloseTo(memory.cache!.stallNs, 0);
  });

  test("read memory once, and nothing is copied", () => {
    const { cache, resources } = inPages(10, { kind: "host" });
    const bytes = (part: string) => resources.find(({ name }) => name.startsWith(part))?.bytes ?? 0;
    expect(bytes("host memory")).toBeCloseTo(cache!.misses * expertBytes, 0);
    expect(bytes("NVMe")).toBe(cache!.diskReads * expertBytes);
    expect(bytes("page cache")).toBe(0);
    expect(cache!.diskReads + cache!.pageCacheHits!).toBe(cache!.misses);
    expect(Math.min(cache!.diskReads, cache!.pageCacheHits!)).toBeGreaterThan(0);
  });

  test("are never slower for one request at a time with more pages, whatever is done about misses", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: all }), fc.nat(all), (at, pages, more) => {
        expect(inPages(pages + more, at).endNs).toBeLessThanOrEqual(inPages(pages, at).endNs);
      }),
      { numRuns: drawn(10), seed: 2 },
    );
  });

  test("begin with the last experts of the file that no device holds, read once for all replicas", () => {
    for (const replicas of [1, 3]) {
      const { cache } = inPages(8, {
        kind: "host",
        replicas,
        offload: { slots: 4, slotsPerLayer: held([8, 8, 8, 0]) },
      });
      expect([cache!.diskReads, cache!.pageCacheHits]).toEqual([0, cache!.misses]);
      expect(cache!.misses).toBeGreaterThan(0);
    }
    const first = inPages(8, { kind: "host", offload: { slots: 4, slotsPerLayer: held([0, 8, 8, 8]) } });
    expect(first.cache!.diskReads).toBe(0);
  });

  test("wait for causes that sum to the time that devices stood still", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: all }), fc.constantFrom(1, 2), (at, pages, replicas) => {
        const { stallNs, stallBy = {} } = inPages(pages, { ...at, replicas }).cache!;
        expect(Object.values(stallBy).reduce((sum, ns) => sum + ns, 0)).toBeCloseTo(stallNs, 0);
      }),
      { numRuns: drawn(10), seed: 4 },
    );
  });
});

const held = (slots: readonly number[]) => Uint32Array.from(slots);

/** Every token asks for the same experts. */
const same = { ...testRouting(4, 8, 2, 200), ids: testRouting(4, 8, 2, 200).ids.map((_, i) => 6 + (i % 2)) };

describe("experts that the host computes in tiered memory", () => {
  test("move to the nearest, and are computed at its rate from then on", () => {
    const tiers = [ddr(16), tier("cxl", 16, 5e9, 0)];
    const at = { kind: "host" as const, tiers, table: same, offload: { slots: 0 } };
    const still = run(at);
    const moved = run({ ...at, offload: { slots: 0, tiering: "lru" as const } });
    // The experts of the two last layers lie in the far memory.
    expect(moved.cache!.promotions).toBe(4);
    expect(moved.endNs).toBeLessThan(still.endNs);
    const near = run({ ...at, tiers: [ddr(all)] });
    const far = (result: RunResult) => result.resources.find(({ name }) => name.startsWith("CXL"))!.bytes;
    expect(far(moved)).toBeLessThan(far(still) / 2);
    expect(near.endNs).toBeLessThan(moved.endNs);
  });
});

describe("experts that the host computes in front of disks, in exclusive memory", () => {
  test("stay there: with room for what devices lack, each is read from its disk once", () => {
    const at = { kind: "host" as const, table: same, tiers: [ddr(8), nvme] };
    const { cache } = run({ ...at, offload: { hostCache: "exclusive", slots: 0 } });
    expect(cache!.misses).toBeGreaterThan(100);
    expect(cache!.diskReads).toBe(8);
    expect(cache!.writtenBackBytes).toBe(0);
  });

  test("leave room for what devices take in, and for what these give back", () => {
    // Prompts are fetched, and tokens computed by the host.
    const at = { kind: "host" as const, values: { deviceFrom: 3 }, tiers: [ddr(14), nvme], prompt: 3 };
    const lru = { policy: cachePolicies.lru, slots: 3 };
    const inclusive = run({ ...at, offload: lru }).cache!;
    const exclusive = run({ ...at, offload: { ...lru, hostCache: "exclusive" } }).cache!;
    expect(exclusive.writtenBackBytes).toBeGreaterThan(0);
    expect(exclusive.misses).toBe(inclusive.misses);
    expect(exclusive.actions!.taken.map(({ action }) => action)).toEqual(["fetch", "host"]);
    expect(exclusive.diskReads).toBeLessThan(inclusive.diskReads);
  });
});
