import { describe, expect, test } from "vitest";
import { brokenLaws } from "../../../src/calibrate/maps/kernel-laws.ts";
import { groupedGemmShape } from "../../../src/hardware/cost/grouped-gemm.ts";
import type { KernelMap } from "../../../src/hardware/kernel-maps.ts";
import { deviceNamed } from "../../../src/hardware/named-profiles.ts";

const h200 = deviceNamed("h200-sxm");
const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
const fit = { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null };
const ranges = [
  [1, 1e4],
  [1e4, 1e12],
  [16, 20_000],
  [1, 256],
];

/** A map of one engine with a share of the ideal at each of the 16 corners. */
const map = (format: "bf16" | "fp8" | "int4", shareAt: (corner: readonly boolean[]) => number): KernelMap => ({
  family: "groupedGemm",
  engine: "vllm",
  format,
  launchNs: 10_000,
  axes: groupedGemmShape.axes.map(({ name }, i) => ({ name, knots: ranges[i]! })),
  efficiency: Array.from({ length: 16 }, (_, node) => shareAt([8, 4, 2, 1].map((bit) => (node & bit) !== 0))),
  fit,
});
const lawsBrokenBy = (...maps: KernelMap[]) =>
  brokenLaws({ ...h200, kernels: { device: "h200-sxm", maps } }).map(({ format, law }) => [format, law.kind]);

describe("laws between expert kernels of one engine", () => {
  test("hold between formats that reach like shares of their ideal", () => {
    const flat = () => 0.7;
    expect(lawsBrokenBy(map("bf16", flat), map("fp8", flat), map("int4", flat))).toEqual([]);
  });

  test("name a narrower format that is slower than a wider one", () => {
    const found = brokenLaws({
      ...h200,
      kernels: { device: "h200-sxm", maps: [map("bf16", () => 0.7), map("fp8", () => 0.15)] },
    });
    expect(found).toMatchObject([{ engine: "vllm", format: "fp8", law: { kind: "narrower", than: "bf16" } }]);
    expect(found[0]!.excess).toBeGreaterThan(1.5);
    expect(found[0]!.broken).toBeGreaterThan(0.3 * found[0]!.shapes);
  });

  test("do not compare formats whose arithmetic is slower, where rows are few or many", () => {
    // int4 is multiplied in 16 bits: half the bytes of fp8, half the rate.
    expect(
      lawsBrokenBy(
        map("fp8", () => 0.7),
        map("int4", () => 0.15),
      ),
    ).toEqual([]);
  });

  test("name a map in which more work is faster", () => {
    expect(lawsBrokenBy(map("bf16", ([pairs]) => (pairs ? 1 : 1e-4)))).toContainEqual(["bf16", "morePairs"]);
    expect(lawsBrokenBy(map("bf16", ([, bytes]) => (bytes ? 1 : 1e-14)))).toContainEqual(["bf16", "moreExperts"]);
    expect(lawsBrokenBy(map("bf16", ([, , width]) => (width ? 1 : 1e-4)))).toContainEqual(["bf16", "widerShard"]);
  });
});
