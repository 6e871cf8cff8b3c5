import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import type { GemmOp, GroupedGemmOp } from "../../../src/hardware/op.ts";
import { ServedKernels } from "../../../src/sim/step/served-kernels.ts";

const node = nodeNamed("h100-sxm-8");
const cost = new CostModel(node.device, node, "vllm");
const served = new ServedKernels(cost);
const at = (op: GemmOp | GroupedGemmOp, { factor = 1, hidden = 0 }): number => {
  served.excessFactor = factor;
  served.hiddenShare = hidden;
  return served.opNs(op);
};

const product = fc.record({
  kind: fc.constant("gemm" as const),
  tokens: fc.integer({ min: 1, max: 16384 }),
  inputWidth: fc.integer({ min: 64, max: 16384 }),
  outputWidth: fc.integer({ min: 64, max: 65536 }),
  weightFormat: fc.constantFrom("bf16" as const, "fp8" as const),
  math: fc.constantFrom("bf16" as const, "fp8" as const),
});

describe("a kernel inside a served step", () => {
  const shares = fc.double({ min: 0, max: 1, noNaN: true });

  test("takes its time alone where none of its excess is hidden", () => {
    fc.assert(
      fc.property(product, (op) => {
        expect(at(op, {})).toBeCloseTo(cost.opNs(op), 3);
      }),
    );
  });

  test("is never faster than the peaks allow, whatever is hidden, and faster the more is", () => {
    fc.assert(
      fc.property(product, shares, shares, (op, a, b) => {
        expect(at(op, { hidden: a })).toBeGreaterThanOrEqual(cost.floorNs(op));
        expect(at(op, { hidden: Math.max(a, b) })).toBeLessThanOrEqual(at(op, { hidden: Math.min(a, b) }));
        expect(at(op, { factor: b, hidden: a * b })).toBeGreaterThanOrEqual(cost.floorNs(op));
      }),
    );
  });

  test("loses the hidden share of its excess over 0.91 of the peaks, of 20 us at most", () => {
    fc.assert(
      fc.property(product, shares, (op, hidden) => {
        const aloneNs = cost.opNs(op);
        const excessNs = Math.max(0, aloneNs - cost.floorNs(op) / 0.91);
        expect(at(op, { hidden })).toBeCloseTo(aloneNs - hidden * Math.min(excessNs, 20_000), 3);
      }),
    );
  });

  test("on a share of the multiprocessors arithmetic takes longer by it, and memory takes no longer", () => {
    const on = (op: GemmOp, multiprocessors: number): number => {
      served.productShare = multiprocessors;
      const ns = at(op, {});
      served.productShare = 1;
      return ns;
    };
    const square = (tokens: number): GemmOp => ({
      kind: "gemm",
      tokens,
      inputWidth: 8192,
      outputWidth: 8192,
      weightFormat: "bf16",
      math: "bf16",
    });
    expect(on(square(16_384), 0.8)).toBeCloseTo(on(square(16_384), 1) / 0.8, 3);
    expect(on(square(16), 0.8)).toBe(on(square(16), 1));
    const shares = fc.double({ min: 0.1, max: 1, noNaN: true });
    fc.assert(
      fc.property(product, shares, shares, (op, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(on(op, less)).toBeGreaterThanOrEqual(on(op, more));
        expect(on(op, less)).toBeLessThanOrEqual((on(op, 1) / less) * (1 + 1e-9));
      }),
    );
  });

  test("large bf16 experts read no faster than memory allows, and hardly faster than alone", () => {
    const mixtral: GroupedGemmOp = {
      kind: "groupedGemm",
      pairs: 32,
      distinctExperts: 8,
      presentedPairs: 32,
      parametersPerExpert: 3 * 4096 * 14336,
      shardWidth: 14336,
      valuesPerPair: 2 * 4096 + 3 * 14336,
      weightFormat: "bf16",
      math: "bf16",
    };
    const bytesPerSecond = (8 * mixtral.parametersPerExpert * 2) / (at(mixtral, { hidden: 0.5 }) / 1e9);
    expect(bytesPerSecond).toBeLessThan(0.95 * node.device.memoryBytesPerSecond);
    expect(at(mixtral, { hidden: 0.5 })).toBeGreaterThan(0.9 * cost.opNs(mixtral));
  });
});
