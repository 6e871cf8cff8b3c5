import { describe, expect, test } from "vitest";
import { handoverLinks, handoverNs } from "../../../src/sim/handover/handover-links.ts";
import { testNode } from "../build.ts";

describe("links of a hand-over", () => {
  const node = testNode();
  const { scaleUp, scaleOut, hostLink } = node.device;

  test("inside a node or a scale-up domain the scale-up links, elsewhere those between nodes", () => {
    expect(handoverLinks(node, node, true)).toEqual({ sending: scaleUp, receiving: scaleUp });
    expect(handoverLinks(node, node, false)).toEqual({ sending: scaleOut, receiving: scaleOut });
  });

  test("devices of a node that meet only through the host use their host links", () => {
    const apart = testNode({ scaleUp: null });
    expect(handoverLinks(apart, node, true)).toEqual({ sending: hostLink, receiving: scaleUp });
  });

  test("there is no way where a side has no link", () => {
    expect(handoverLinks(testNode({ scaleOut: null }), node, false)).toBeNull();
    expect(handoverLinks(node, testNode({ scaleUp: null, hostLink: null }), true)).toBeNull();
  });

  test("latency + bytes of the busiest device over its link, on the side that takes longer", () => {
    const slow = { name: "slow", bytesPerSecond: 1e9, latencyNs: 2000, efficiency: 0.5 };
    const fast = { name: "fast", bytesPerSecond: 1e10, latencyNs: 1000, efficiency: 0.8 };
    expect(handoverNs({ sending: slow, receiving: fast }, 1e6, 1e6)).toBe(2000 + 2e6);
    expect(handoverNs({ sending: fast, receiving: slow }, 1e6, 1e6)).toBe(2000 + 2e6);
    expect(handoverNs({ sending: fast, receiving: fast }, 8e6, 1e6)).toBe(1000 + 1e6);
    expect(handoverNs({ sending: fast, receiving: fast }, 0, 0)).toBe(0);
  });
});
