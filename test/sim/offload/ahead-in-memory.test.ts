import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MemoryTier } from "../../../src/hardware/device.ts";
import type { OffloadConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";
import { type SentAhead, sendingAhead } from "./sent-ahead.ts";
import { all, expertBytes, tier } from "./tiers.ts";

const ddr = (experts: number) => tier("ddr", experts, 50e9, 80);
const nvme = tier("nvme", all, 5e9, 50_000);

interface Case {
  readonly tiers: readonly MemoryTier[];
  readonly offload: Partial<OffloadConfig>;
  readonly ahead: SentAhead;
  readonly replicas?: number;
}

function run({ tiers, offload, ahead, replicas = 1 }: Case) {
  const config = testConfig({
    node: { ...testNode(), tiers, devicesPerNode: 8 },
    replicas,
    workload: {
      kind: "closed",
      concurrency: replicas,
      requests: testRequests(Array.from({ length: 4 * replicas }, () => ({ prompt: 2, output: 20 }))),
    },
    routing: {
      kind: "replay",
      table: testRouting(4, 8, 2, 200, ahead.seed),
      layerMap: [0, 1, 2, 3],
      start: "random",
    },
    offload: testOffload({ slots: 3, ...offload }),
  });
  return simulate(sendingAhead(config, ahead));
}

const ahead = fc.record({
  distance: fc.integer({ min: 1, max: 3 }),
  chunks: fc.integer({ min: 1, max: 3 }),
  preempt: fc.boolean(),
  latencyNs: fc.constantFrom(0, 20_000),
  seed: fc.integer({ min: 1, max: 1000 }),
});

describe("experts sent ahead", () => {
  test("out of a page cache that holds all are read from disks once, whoever asks for them", () => {
    fc.assert(
      fc.property(ahead, fc.constantFrom(1, 3), (rules, replicas) => {
        const { cache } = run({
          tiers: [ddr(all + 8 * replicas), nvme],
          offload: { hostBytes: 8 * replicas * expertBytes, pageCache: all * expertBytes },
          ahead: rules,
          replicas,
        });
        expect(cache!.prefetch!.followed).toBeGreaterThan(50);
        expect(cache!.diskReads).toBeLessThanOrEqual(all);
        expect(cache!.pageCacheHits).toBeGreaterThan(0);
      }),
      { numRuns: drawn(3), seed: 1 },
    );
  });

  test("through a page cache of no bytes take what they take without one, where its thread is in no way", () => {
    fc.assert(
      fc.property(ahead, (rules) => {
        const hostBytes = 8 * expertBytes;
        const at = { tiers: [ddr(all), nvme], ahead: rules };
        const paged = run({ ...at, offload: { hostBytes, pageCache: 0, pageCopyBytesPerSecond: 1e15 } });
        const plain = run({ ...at, offload: { hostBytes } });
        expect(paged.endNs).toBe(plain.endNs);
        expect(paged.cache!.diskReads).toBe(plain.cache!.diskReads);
        expect(paged.cache!.prefetch).toEqual(plain.cache!.prefetch);
      }),
      { numRuns: drawn(4), seed: 2 },
    );
  });

  test("leave exclusive memory and come back to it: with room for what devices lack, none is read from its disk twice", () => {
    fc.assert(
      fc.property(ahead, (rules) => {
        const { cache } = run({
          tiers: [ddr(all), nvme],
          offload: { hostBytes: (all - 1) * expertBytes, hostCache: "exclusive" },
          ahead: rules,
        });
        expect(cache!.prefetch!.followed).toBeGreaterThan(50);
        expect(cache!.writtenBackBytes).toBeGreaterThan(0);
        expect(cache!.diskReads).toBeLessThanOrEqual(all);
      }),
      { numRuns: drawn(5), seed: 3 },
    );
  });

  test("leave room in exclusive memory for others: fewer reads of disks than where it keeps a copy", () => {
    const of = (hostCache: "exclusive" | "inclusive") =>
      [1, 2, 3].reduce((sum, seed) => {
        const rules = { distance: 1, chunks: 2, preempt: false, latencyNs: 0, seed };
        return (
          sum +
          run({ tiers: [ddr(all), nvme], offload: { hostBytes: 18 * expertBytes, hostCache }, ahead: rules }).cache!
            .diskReads
        );
      }, 0);
    expect(of("exclusive")).toBeLessThan(0.4 * of("inclusive"));
  });

  test("move to the nearest memory as fetched ones do", () => {
    const rules = { distance: 2, chunks: 2, preempt: false, latencyNs: 0, seed: 1 };
    const tiers = [ddr(16), tier("cxl", 16, 5e9, 0)];
    const hostBytes = 16 * expertBytes;
    const still = run({ tiers, offload: { hostBytes }, ahead: rules });
    const moved = run({ tiers, offload: { hostBytes, tiering: "lru" }, ahead: rules });
    expect(still.cache!.prefetch!.followed).toBeGreaterThan(50);
    // About half of what is read is fetched, and makes half of the moves.
    expect(moved.cache!.promotions).toBeGreaterThan(80);
  });
});
