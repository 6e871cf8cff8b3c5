import { describe, expect, it } from "vitest";
import { moveTime } from "../../../src/sim/rebalance/move-time.ts";
import { singleDevice, testNode } from "../build.ts";

// 100 GB/s and 1 us in a node, 10 GB/s and 5 us between nodes, 25 GB/s and 5 us to the host, whose memory reads 50 GB/s and 100 ns.
const node = { ...testNode({ scaleUpDomain: 2 }), devicesPerNode: 2 };
const mapping = { ...singleDevice, dp: 4, ep: 4 };
const sliceBytes = 1e6;
const move = (from: number, to: number, expert = 0) => ({ expert, from, to });

describe("time that moves take", () => {
  const { ns, nodeOf } = moveTime({ mapping, node }, 0, sliceBytes, "ranks");

  it("is that of the slowest link, which sends and receives at once", () => {
    expect(nodeOf).toEqual([0, 0, 1, 1]);
    expect(ns([])).toBe(0);
    expect(ns([move(0, 1)])).toBe(1000 + 10_000);
    expect(ns([move(0, 1), move(1, 0)])).toBe(1000 + 10_000);
    expect(ns([move(0, 1), move(0, 1, 1)])).toBe(1000 + 20_000);
    expect(ns([move(0, 2)])).toBe(5000 + 100_000);
    expect(ns([move(0, 2), move(1, 2), move(2, 3)])).toBe(5000 + 200_000);
  });

  it("is that of one slice where an expert rank has several devices", () => {
    const wide = moveTime({ mapping: { ...singleDevice, dp: 4, ep: 2, etp: 2 }, node }, 0, sliceBytes, "ranks");
    expect(wide.nodeOf).toEqual([0, 1]);
    expect(wide.ns([move(0, 1)])).toBe(5000 + 100_000);
  });

  it("goes by the nodes of the stage", () => {
    const second = moveTime({ mapping: { ...singleDevice, dp: 3, ep: 3, pp: 2 }, node }, 1, sliceBytes, "ranks");
    expect(second.nodeOf).toEqual([1, 2, 2]);
  });

  it("from host memory is that of the device that lacks most, or of a memory that all devices of a node read", () => {
    const host = moveTime({ mapping, node }, 0, sliceBytes, "host");
    expect(host.ns([])).toBe(0);
    expect(host.ns([move(3, 0)])).toBe(5000 + 40_000);
    expect(host.ns([move(3, 0), move(3, 0, 1), move(3, 1), move(3, 1, 1)])).toBe(5000 + 80_000);
    const slow = { ...node, tiers: [{ ...node.tiers[0]!, read: { ...node.tiers[0]!.read, bytesPerSecond: 25e9 } }] };
    expect(moveTime({ mapping, node: slow }, 0, sliceBytes, "host").ns([move(3, 0), move(3, 1)])).toBe(100 + 80_000);
    expect(host.sharesLinks).toBe(false);
  });
});
