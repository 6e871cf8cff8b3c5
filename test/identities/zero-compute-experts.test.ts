import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { feedForwardShare, type ZeroComputeExperts } from "../../src/models/expert-choices.ts";
import { expertMatrices } from "../../src/models/parameters.ts";
import type { MoeFeedForward } from "../../src/models/spec.ts";
import { expertFlops } from "../../src/models/zero-compute.ts";
import { testNode } from "../sim/build.ts";

/** Expert forward times in ms (MoE++, arXiv 2410.07348, throughput table): plain MoE, then by tau. */
const published = [
  { experts: 8, others: 4, plainMs: 535.3, byTau: { 0.1: 202.4, 0.25: 277.8, 0.5: 387.3, 0.75: 427.6, 1: 449.6 } },
  { experts: 16, others: 4, plainMs: 610.9, byTau: { 0.1: 289.3, 0.25: 384.9, 0.5: 469.7, 0.75: 500.3, 1: 530.2 } },
  { experts: 32, others: 8, plainMs: 683.4, byTau: { 0.1: 417.9, 0.25: 473.7, 0.5: 532.7, 0.75: 561.0, 1: 590.5 } },
  { experts: 16, others: 4, plainMs: 1859, byTau: { 0.75: 1455 } },
].flatMap(({ experts, others, plainMs, byTau }) =>
  Object.entries(byTau).map(([tau, ms]) => ({ experts, others, tau: Number(tau), speedUp: plainMs / ms })),
);

/** One zero, one copy and otherwise constant experts, as in the paper. */
const zeroCompute = (count: number, tau: number): ZeroComputeExperts => ({
  zero: 1,
  copy: 1,
  constant: count - 2,
  tau,
});
const ratio = ({ experts, others, tau }: { experts: number; others: number; tau: number }) =>
  feedForwardShare(experts, zeroCompute(others, tau));

describe("the FLOP ratio of zero-computation experts", () => {
  test("is 0.75 for 16 + 4 experts at tau 0.75 and a sixth for 8 + 4 at tau 0.1", () => {
    expect(ratio({ experts: 16, others: 4, tau: 0.75 })).toBe(0.75);
    expect(ratio({ experts: 8, others: 4, tau: 0.1 })).toBeCloseTo(1 / 6, 12);
  });

  test("counts the constant experts, and they are under a thousandth of the feed-forward experts", () => {
    const moe = modelNamed("mixtral-8x7b").layers[0]?.feedForward as MoeFeedForward;
    const flops = expertFlops(moe, zeroCompute(4, 0.75));
    expect(flops.feedForward).toBeCloseTo(2 * 0.6 * 2 * expertMatrices(moe), 0);
    expect(flops.constant).toBeCloseTo(2 * 0.4 * 0.5 * 7 * 4096, 6);
    expect(flops.constant / flops.feedForward).toBeLessThan(1e-3);
    const plain = expertFlops(moe, { zero: 0, copy: 0, constant: 0, tau: 1 });
    expect(plain).toEqual({ feedForward: 2 * 2 * expertMatrices(moe), constant: 0 });
  });
});

describe("the speed-up of zero-computation experts", () => {
  test("lies strictly between 1 and the inverse FLOP ratio in all 16 published points", () => {
    expect(published).toHaveLength(16);
    for (const point of published) {
      expect(point.speedUp).toBeGreaterThan(1);
      expect(point.speedUp).toBeLessThan(1 / ratio(point));
    }
  });

  test("follows from one fixed share of the plain layer's time within 15 % where tau is at least a half", () => {
    const speedUp = (point: (typeof published)[number], fixed: number) => 1 / (fixed + (1 - fixed) * ratio(point));
    const squares = (fixed: number) =>
      published.reduce((sum, point) => sum + (point.speedUp / speedUp(point, fixed) - 1) ** 2, 0);
    const shares = Array.from({ length: 1000 }, (_, i) => i / 1000);
    const fixed = shares.reduce((best, share) => (squares(share) < squares(best) ? share : best));
    expect(fixed).toBeCloseTo(0.303, 2);
    for (const point of published.filter(({ tau }) => tau >= 0.5))
      expect(Math.abs(speedUp(point, fixed) / point.speedUp - 1)).toBeLessThan(0.15);
  });

  test("is strictly between 1 and the inverse FLOP ratio on a roofline too, whatever the shape and batch", () => {
    const node = testNode();
    const cost = new CostModel(node.device, node);
    const shapes = fc.record({
      hidden: fc.integer({ min: 2, max: 64 }).map((n) => 128 * n),
      width: fc.integer({ min: 2, max: 128 }).map((n) => 128 * n),
      tokens: fc.integer({ min: 1, max: 100000 }),
      point: fc.constantFrom(...published),
    });
    fc.assert(
      fc.property(shapes, ({ hidden, width, tokens, point }) => {
        const expertsNs = (share: number) =>
          cost.opNs({
            kind: "groupedGemm",
            pairs: 2 * tokens * share,
            presentedPairs: 2 * tokens * share,
            distinctExperts: point.experts,
            parametersPerExpert: 3 * hidden * width,
            shardWidth: width,
            valuesPerPair: 2 * hidden + 3 * width,
            weightFormat: "bf16",
            math: "bf16",
          });
        const speedUp = expertsNs(1) / expertsNs(ratio(point));
        expect(speedUp).toBeGreaterThan(1);
        expect(speedUp).toBeLessThan(1 / ratio(point));
      }),
    );
  });
});
