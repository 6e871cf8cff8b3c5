import { describe, expect, test } from "vitest";
import { kneeOf, suggestedSize, tableSizes } from "../../../src/offload/replay/cache-sizes.ts";
import { missCauses, missVerdict } from "../../../src/offload/replay/miss-causes.ts";
import type { HitCurve } from "../../../src/policy/cache/hit-curve.ts";

const curveOf = (rates: readonly number[]): HitCurve => ({
  accesses: 100,
  coldMisses: 0,
  from: 0,
  hits: Float64Array.from([0, ...rates], (rate) => 100 * rate),
});

test("sizes of a table hold what a token needs, are whole, different and below all experts", () => {
  expect(tableSizes(8, 2)).toEqual([2, 3, 4, 6]);
  expect(tableSizes(128, 8)).toEqual([8, 16, 32, 48, 64, 96]);
  expect(tableSizes(60, 4)).toEqual([4, 8, 15, 23, 30, 45]);
  expect(tableSizes(4, 4)).toEqual([]);
});

describe("the knee", () => {
  test("stands highest above the line from nothing to all", () => {
    expect(kneeOf(curveOf([0.2, 0.6, 0.7, 0.75, 0.8]))).toBe(2);
    expect(kneeOf(curveOf([0.7, 0.72, 0.74, 0.76, 0.8]))).toBe(1);
  });

  test("is absent where hits grow in step with the slots, or later", () => {
    expect(kneeOf(curveOf([0.2, 0.4, 0.6, 0.8, 1]))).toBeNull();
    expect(kneeOf(curveOf([0, 0, 0.1, 0.5, 1]))).toBeNull();
    expect(kneeOf(curveOf([0, 0, 0]))).toBeNull();
  });
});

describe("the suggested size", () => {
  test("is the first from which twice the slots never bring ten points again", () => {
    // 2 -> 4 brings 12 points, 3 -> 6 brings 8.
    const curve = curveOf([0.5, 0.78, 0.84, 0.9, 0.91, 0.92, 0.93, 0.94]);
    expect(suggestedSize(curve, 1)).toEqual({ slots: 3, hitRate: 0.84, doublingGain: expect.closeTo(0.08, 12) });
    expect(suggestedSize(curve, 4).slots).toBe(4);
  });

  test("is not the foot of a curve that grows slowly at first", () => {
    const slow = curveOf([0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(suggestedSize(slow, 1)).toEqual({ slots: 8, hitRate: 1, doublingGain: 0 });
  });

  test("is no less than a call asks for, and all experts where nothing less will do", () => {
    expect(suggestedSize(curveOf([0.9, 0.95, 1]), 2).slots).toBe(2);
    expect(suggestedSize(curveOf([0.5, 0.8, 1]), 3).slots).toBe(3);
    expect(suggestedSize(curveOf([1]), 5).slots).toBe(1);
  });
});

describe("misses by cause", () => {
  test("add up to the misses of the policy", () => {
    const causes = missCauses({ accesses: 200, coldMisses: 10, optimumHits: 150, policyHits: 120 });
    expect(causes).toEqual({ cold: 0.05, capacity: 0.2, policy: 0.15 });
    expect(causes.cold + causes.capacity + causes.policy).toBeCloseTo(80 / 200, 12);
  });

  test("come from what is clearly the more", () => {
    expect(missVerdict({ cold: 0, capacity: 0.2, policy: 0.05 })).toBe("working set");
    expect(missVerdict({ cold: 0, capacity: 0.05, policy: 0.2 })).toBe("policy");
    expect(missVerdict({ cold: 0, capacity: 0.1, policy: 0.12 })).toBe("both");
    expect(missVerdict({ cold: 0.5, capacity: 0.004, policy: 0.01 })).toBe("hardly any");
    expect(missVerdict({ cold: 0, capacity: 0.2, policy: -0.05 })).toBe("working set");
  });
});
