import { describe, expect, test } from "vitest";
import { handoverLinks } from "../../../src/sim/handover/handover-links.ts";
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
});
