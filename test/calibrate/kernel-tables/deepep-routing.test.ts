import { expect, test } from "vitest";
import { DeepEpRouting } from "../../../src/calibrate/kernel-tables/deepep-routing.ts";

const deepseek = { ranksPerNode: 8, topK: 8, experts: 256 };

test("up to four nodes the collector picks experts evenly", () => {
  for (const nodes of [1, 2, 4])
    expect(new DeepEpRouting().scales({ ...deepseek, nodes })).toEqual({ near: 1, far: 1 });
});

test("on more nodes a token goes to four at most, where even picks go to more, the more nodes there are", () => {
  const routing = new DeepEpRouting();
  let before = 1;
  for (const nodes of [8, 16, 32]) {
    const { far, near } = routing.scales({ ...deepseek, ranksPerNode: 256 / nodes, nodes });
    const even = nodes * (1 - Array.from({ length: 8 }, (_, i) => 1 - 256 / nodes / (256 - i)).reduce((a, b) => a * b));
    // The best experts of four nodes are hardly ever beaten by eight others there.
    expect(far * even).toBeGreaterThan(3.9);
    expect(far * even).toBeLessThanOrEqual(4);
    expect(far).toBeLessThan(before);
    // Every expert has a rank of its own.
    expect(near).toBeCloseTo(1, 9);
    before = far;
  }
});

test("a token with one expert goes to one node, as an even pick does", () => {
  const { near, far } = new DeepEpRouting().scales({ nodes: 8, ranksPerNode: 8, topK: 1, experts: 256 });
  expect(near).toBeCloseTo(1, 9);
  expect(far).toBeCloseTo(1, 9);
});
