import { expect, test } from "vitest";
import type { KernelSample } from "../../../src/calibrate/kernel-tables/kernel-sample.ts";
import { calibrateKernels } from "../../../src/calibrate/maps/calibrate-kernels.ts";
import { collectiveShape } from "../../../src/hardware/cost/collective.ts";
import { exchangeFamilies, exchangeShape } from "../../../src/hardware/cost/exchange.ts";
import { groupedGemmShape } from "../../../src/hardware/cost/grouped-gemm.ts";
import { nominalRates } from "../../../src/hardware/cost/mapped.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import { deviceNamed } from "../../../src/hardware/named-profiles.ts";
import type { CollectiveOp, ExchangeOp, GroupedGemmOp, Op } from "../../../src/hardware/op.ts";
import { syntheticNode } from "../../hardware/synthetic-device.ts";

const { kernels: _, ...device } = deviceNamed("h100-sxm");
const rates = nominalRates(device);
const place = { device: device.id, engine: "vllm", version: "1", kernel: "k", file: "t.csv", row: 1 };

/** Powers of two from 2^from to 2^to. */
const octaves = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

const expertOps = octaves(0, 12).flatMap((tokens) =>
  [768, 1536, 3072].flatMap((width) =>
    [1, 4].map(
      (ranks): GroupedGemmOp => ({
        kind: "groupedGemm",
        pairs: (tokens * 8) / ranks,
        distinctExperts: Math.min(128 / ranks, (tokens * 8) / ranks),
        presentedPairs: tokens * 8,
        parametersPerExpert: 3 * 4096 * width,
        shardWidth: width,
        valuesPerPair: 2 * 4096 + 3 * width,
        weightFormat: "bf16",
        math: "bf16",
      }),
    ),
  ),
);

/** Share of the roofline that rises smoothly with the size of the work. */
const share = (size: number) => 0.9 / (1 + 1e5 / size);

const forecastError = (samples: readonly KernelSample[]): number => {
  const { kernels } = calibrateKernels(samples, device);
  const calibrated = { ...device, kernels };
  const model = new CostModel(calibrated, syntheticNode(calibrated), "vllm");
  return Math.max(...samples.map(({ op, ns }) => Math.abs(model.opNs(op) / ns - 1)));
};

test("a map fitted to expert kernels of known launch and efficiency gives their times back", () => {
  const samples = expertOps.map((op): KernelSample => {
    const ideal = groupedGemmShape.idealNs(op, rates);
    return {
      ...place,
      family: "groupedGemm",
      op,
      ns: 9000 + ideal / share(ideal),
      shape: `w${op.shardWidth} ${op.pairs / op.presentedPairs}`,
    };
  });
  expect(forecastError(samples)).toBeLessThan(0.06);
});

test("maps fitted to collectives give their times back, inside and outside the fitted sizes", () => {
  const samples = octaves(9, 29).flatMap((bytes) =>
    [2, 4, 8].map((ranks): KernelSample => {
      const op: CollectiveOp = { kind: "allGather", bytes, ranks, ranksPerNode: ranks };
      const ns = 4000 * ranks + collectiveShape.idealNs(op, rates) / 0.7;
      return { ...place, engine: null, family: "allGather", op, ns, shape: `${bytes} ${ranks}` };
    }),
  );
  expect(forecastError(samples)).toBeLessThan(0.06);
});

test("maps fitted to exchanges give their times back on every number of nodes", () => {
  const samples = octaves(0, 10).flatMap((tokens) =>
    [8, 16, 32].flatMap((ranks) =>
      [2048, 7168].map((hidden): KernelSample => {
        const op: ExchangeOp = {
          kind: "combine",
          library: "deepep",
          mode: "lowLatency",
          tokens,
          hidden,
          topK: 8,
          experts: 256,
          ranks,
          ranksPerNode: 8,
          bytesPerValue: 2,
        };
        const ns = 12_000 + exchangeShape.idealNs(op, rates) / 0.8;
        return { ...place, family: exchangeFamilies.combine.lowLatency, op, ns, shape: `${ranks} ${hidden}` };
      }),
    ),
  );
  expect(forecastError(samples)).toBeLessThan(0.06);
});

test("rows beyond the physical peak and series in which another kernel ran are not fitted to", () => {
  const good = expertOps.map((op): KernelSample => {
    const ns = groupedGemmShape.idealNs(op, rates) / 0.5;
    return { ...place, family: "groupedGemm", op, ns, shape: "qwen3_30b_a3b tp1 ep1" };
  });
  const impossible = good
    .slice(-3)
    .map((sample) => ({ ...sample, kernel: "x", ns: sample.ns / 100, row: 7, version: "2" }));
  const listed = good.map((sample) => {
    const op: Op = { ...(sample.op as GroupedGemmOp), weightFormat: "fp8", math: "fp8" };
    const kernel = "vllm_modeloptfp8moe_flashinfer_cutlass_flashinferexperts";
    return { ...sample, op, ns: 9 * sample.ns, kernel };
  });
  const { maps } = calibrateKernels([...good, ...impossible, ...listed], device);
  expect(maps.map(({ format, rows, refused }) => [format, rows, refused.map(({ row }) => row)])).toEqual([
    ["bf16", good.length, [7, 7, 7]],
  ]);
});
