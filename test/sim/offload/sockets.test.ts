import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MemoryTier, Node, Sockets } from "../../../src/hardware/device.ts";
import type { Mapping } from "../../../src/sim/mapping.ts";
import { SocketRooms } from "../../../src/sim/offload/socket-rooms.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { singleDevice, testConfig, testNode, testOffload, testRequests, testRouting } from "../build.ts";

/** Of the tiny model: 4 layers of 8 experts. */
const expertBytes = 3 * 256 * 128 * 2;
const all = 32;
const linkNs = 5000 + expertBytes / 25;

interface Case {
  readonly sockets?: Sockets;
  readonly numa?: "local" | "interleave";
  readonly devicesPerNode?: number;
  readonly mapping?: Partial<Mapping>;
  readonly replicas?: number;
  /** Experts that the first memory tier has room for; behind it are CXL memory and a disk. */
  readonly room?: number;
  /** Time that the whole of the first tier takes for an expert. */
  readonly memoryNs?: number;
  readonly slots?: number;
  readonly overlap?: boolean;
  readonly seed?: number;
}
function run(c: Case): RunResult {
  const base = testNode();
  const tier = (id: "ddr" | "cxl", experts: number, bytesPerSecond: number): MemoryTier => ({
    id,
    kind: id,
    bytes: experts * expertBytes,
    read: { name: id, bytesPerSecond, latencyNs: 0, efficiency: 1 },
  });
  const node: Node = {
    ...base,
    devicesPerNode: c.devicesPerNode ?? 2,
    ...(c.sockets === undefined ? {} : { sockets: c.sockets }),
    tiers: [
      tier("ddr", c.room ?? 4 * all, (expertBytes * 1e9) / (c.memoryNs ?? 1000)),
      tier("cxl", all, 18e9),
      base.tiers[1]!,
    ],
  };
  return simulate(
    testConfig({
      node,
      replicas: c.replicas ?? 1,
      mapping: { ...singleDevice, ...c.mapping },
      workload: {
        kind: "closed",
        concurrency: 2,
        requests: testRequests(Array.from({ length: 6 }, (_, i) => ({ prompt: 3 + i, output: 15 }))),
      },
      routing: { kind: "replay", table: testRouting(4, 8, 2, 300, c.seed ?? 1), layerMap: [0, 1, 2, 3], start: "zero" },
      offload: testOffload({
        slots: c.slots ?? 3,
        hostBytes: Number.MAX_SAFE_INTEGER,
        ...(c.numa === undefined ? {} : { numa: c.numa }),
        overlap: c.overlap ?? true,
      }),
    }),
  );
}
const socketLink = (expertNs: number, latencyNs = 0) => ({
  name: "between sockets",
  bytesPerSecond: (expertBytes * 1e9) / expertNs,
  latencyNs,
  efficiency: 1,
});
const two = (expertNs: number, latencyNs = 0): Sockets => ({ count: 2, link: socketLink(expertNs, latencyNs) });
const atOnce: Sockets = { count: 2, link: { ...socketLink(1), bytesPerSecond: 1e60 } };
const times = ({ endNs, time, cache, requests }: RunResult) => ({ endNs, time, cache, requests });
const experts = ({ resources }: RunResult, name: string) =>
  (resources.find((resource) => resource.name === `${name} of node 0`)?.bytes ?? 0) / expertBytes;
const memories = (result: RunResult) => [0, 1].map((socket) => experts(result, `host memory of socket ${socket}`));
const links = (result: RunResult) => ["0 to 1", "1 to 0"].map((way) => experts(result, `link from socket ${way}`));

const mappings: readonly Partial<Mapping>[] = [{}, { dp: 2, ep: 2 }, { tp: 2, etp: 2 }, { tp: 4, ep: 4 }, { pp: 2 }];
const draw = fc.record({
  numa: fc.constantFrom("local" as const, "interleave" as const),
  devicesPerNode: fc.constantFrom(1, 2, 4, 8),
  mapping: fc.constantFrom(...mappings),
  replicas: fc.integer({ min: 1, max: 3 }),
  room: fc.constantFrom(9, 40, 4 * all),
  memoryNs: fc.constantFrom(1000, 5000, 2 * linkNs),
  slots: fc.integer({ min: 1, max: 6 }),
  overlap: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe("experts in the memories of two sockets", () => {
  test("interleaved, come half from each; the other half over the link, in the direction of the device", () => {
    const lone = run({ sockets: two(500), numa: "interleave" });
    const { misses } = lone.cache!;
    expect(memories(lone)).toEqual([misses / 2, misses / 2]);
    expect(links(lone)).toEqual([0, misses / 2]);
    // Halves of two slices cross in both directions.
    const split = run({ sockets: two(500), numa: "interleave", mapping: { tp: 2, etp: 2 } });
    expect(links(split)).toEqual([split.cache!.misses / 4, split.cache!.misses / 4]);
  });

  test("take as long as the slowest of link, memories and half of the expert between sockets", () => {
    for (const memoryNs of [1000, 2 * linkNs])
      for (const betweenNs of [500, 3 * linkNs]) {
        const waiting = { sockets: two(betweenNs, 60), memoryNs, overlap: false };
        const { misses, stallNs } = run({ ...waiting, numa: "interleave" }).cache!;
        expect(stallNs / misses).toBeCloseTo(Math.max(linkNs, memoryNs, betweenNs / 2 + 60), 6);
        const local = run({ ...waiting, numa: "local" }).cache!;
        expect(local.stallNs / local.misses).toBeCloseTo(Math.max(linkNs, 2 * memoryNs), 6);
      }
  });

  test("local, are read by each rank from its own, and nothing crosses", () => {
    for (const mapping of [{ dp: 2, ep: 2 }, { tp: 2, etp: 2 }, { pp: 2 }]) {
      const ranks = run({ sockets: two(500), numa: "local", mapping });
      const [near, far] = memories(ranks);
      expect(Math.min(near!, far!)).toBeGreaterThan(0);
      expect(near! + far!).toBe(ranks.cache!.misses);
      expect(links(ranks)).toEqual([0, 0]);
    }
    // Replicas whose devices are on different sockets have the memory of their own.
    expect(links(run({ sockets: two(500), numa: "local", replicas: 2, room: 2 * all }))).toEqual([0, 0]);
  });

  test("local, lie on the other socket where their own has no room left", () => {
    const lone = run({ sockets: two(500), numa: "local", room: all });
    const [near, far] = memories(lone);
    expect(Math.min(near!, far!)).toBeGreaterThan(0);
    expect(near! + far!).toBe(lone.cache!.misses);
    expect(links(lone)).toEqual([0, far]);
  });

  test("are told of by the ledger", () => {
    expect(run({ sockets: two(500), numa: "local" }).ledger.map(({ topic }) => topic)).toContain("memory of sockets");
    expect(run({}).ledger.map(({ topic }) => topic)).not.toContain("memory of sockets");
  });
});

describe("laws", () => {
  test("one socket is none", () => {
    fc.assert(
      fc.property(draw, (c) => {
        expect(times(run({ ...c, sockets: { ...two(1), count: 1 } }))).toEqual(times(run(c)));
      }),
      { numRuns: drawn(15) },
    );
  });

  test("two with a link that takes no time, interleaved, are one memory whose halves work at once", () => {
    fc.assert(
      fc.property(draw, (c) => {
        expect(times(run({ ...c, sockets: atOnce, numa: "interleave" }))).toEqual(times(run(c)));
      }),
      { numRuns: drawn(25) },
    );
  });

  test("a lone device whose socket holds all is never slower local than interleaved over a link half as fast", () => {
    fc.assert(
      fc.property(draw, fc.integer({ min: 4, max: 40 }), (c, slower) => {
        const memoryNs = c.memoryNs!;
        const lone: Case = { ...c, mapping: {}, replicas: 1, room: 2 * all, sockets: two(memoryNs * slower) };
        expect(run({ ...lone, numa: "local" }).endNs).toBeLessThanOrEqual(run({ ...lone, numa: "interleave" }).endNs);
      }),
      { numRuns: drawn(25) },
    );
  });

  test("a faster link between sockets is never later for a lone device", () => {
    fc.assert(
      fc.property(draw, fc.integer({ min: 100, max: 60_000 }), (c, ns) => {
        const timed = (expertNs: number) => run({ ...c, mapping: {}, replicas: 1, sockets: two(expertNs) }).endNs;
        expect(timed(ns)).toBeLessThanOrEqual(timed(2 * ns));
      }),
      { numRuns: drawn(25) },
    );
  });

  test("no socket lends more than it has, and each gives to its own devices first", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }),
        (count, room, wanted) => {
          const rooms = new SocketRooms(
            { sockets: { count, link: socketLink(1) }, tiers: [{ ...testNode().tiers[0]!, bytes: room * count }] },
            1e9,
          );
          const owner = wanted.map((socket) => socket % count);
          const lenders = new Uint8Array(owner.length);
          const holders = Array.from({ length: count }, (_, socket) => ({
            holds: (_layer: number, key: number) => owner[key] === socket,
            sockets: [socket],
          }));
          rooms.settle(new Uint8Array(owner.length), lenders, owner.length, holders, 1);
          rooms.lend();
          const used = new Float64Array(count);
          for (const [key, lender] of lenders.entries()) used[lender === 0 ? owner[key]! : lender - 1]! += 1;
          if (owner.length <= room * count) expect(Math.max(...used)).toBeLessThanOrEqual(room);
          for (let socket = 0; socket < count; socket++) {
            const own = owner.flatMap((of, key) => (of === socket ? [lenders[key]] : []));
            expect(own.filter((lender) => lender === 0).length).toBeGreaterThanOrEqual(Math.min(room, own.length));
          }
        },
      ),
      { numRuns: drawn(100) },
    );
  });
});
