import { describe, expect, it } from "vitest";
import { engineNamed } from "../../src/engine/catalogue.ts";
import type { OwnKernels } from "../../src/engine/engine-profile.ts";
import { deviceFiles } from "../../src/hardware/catalogue.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { deviceNamed, nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { AttentionOp, GemmOp, GroupedGemmOp } from "../../src/hardware/op.ts";

const own = engineNamed("llama.cpp").ownKernels!;

const gemm = (tokens: number, over: Partial<GemmOp> = {}): GemmOp => ({
  kind: "gemm",
  tokens,
  inputWidth: 4096,
  outputWidth: 8192,
  weightFormat: "q8_0",
  math: "bf16",
  ...over,
});
const experts = (rows: number, over: Partial<GroupedGemmOp> = {}): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs: rows * 64,
  distinctExperts: 64,
  presentedPairs: rows * 64,
  parametersPerExpert: 3 * 2048 * 768,
  shardWidth: 768,
  valuesPerPair: 2 * 2048 + 3 * 768,
  weightFormat: "q4_k",
  math: "bf16",
  ...over,
});
const prompt: AttentionOp = {
  kind: "attentionPrefill",
  heads: 32,
  kvHeads: 4,
  latent: false,
  widthPerPair: 256,
  cacheBytesPerToken: 2048,
  cacheFormat: "bf16",
  sequences: 1,
  queryTokens: 2048,
  scorePairs: 2048 * 32768,
  cacheTokens: 32768,
  math: "bf16",
};

/** The costs of a device under an engine without kernels of its own, and with them. */
function models(deviceId: string, kernels: OwnKernels = own): readonly [CostModel, CostModel] {
  const device = deviceNamed(deviceId);
  const node = { device, devicesPerNode: 1, tiers: [] };
  return [new CostModel(device, node, "llama.cpp"), new CostModel(device, node, "llama.cpp", kernels)];
}

const gpus = Object.keys(deviceFiles)
  .map((id) => deviceNamed(id))
  .filter(({ kind }) => kind === "gpu");
const cudaGpus = gpus
  .filter(({ platform, peak }) => platform === undefined && peak.int8 !== undefined)
  .map(({ id }) => id);

describe("an engine's own kernels on prompts", () => {
  it("leave products of few rows, plain weights, and decodes' attention as they were", () => {
    const [usual, ours] = models("rtx-4090");
    const decode = { ...prompt, kind: "attentionDecode", queryTokens: 1, scorePairs: 32768 } as const;
    for (const op of [gemm(8), experts(8), gemm(512, { weightFormat: "bf16" }), decode])
      expect(ours.opNs(op)).toBe(usual.opNs(op));
  });

  it("take the arithmetic of int8 at its share, and every activation through memory, where rows are many", () => {
    const [, ours] = models("gb10");
    const { efficiency, peak, memoryBytesPerSecond } = deviceNamed("gb10");
    const rows = 100_000;
    const padding = efficiency.tileRows / 2;
    const computed = rows + (padding * rows) / (rows + padding);
    const arithmeticNs = (2 * 4096 * 8192 * computed * 1e9) / (own.integerCompute * peak.int8!);
    const activationsNs =
      (rows * (4096 + 8192) * own.bytesPerActivation * 1e9) / (memoryBytesPerSecond * efficiency.elementwiseMemory);
    expect(ours.opNs(gemm(rows)) / (arithmeticNs + activationsNs)).toBeCloseTo(1, 6);
  });

  it("attend over prompts at their share of the bf16 peak", () => {
    const [, ours] = models("gb10");
    const flops = 2 * prompt.scorePairs * prompt.heads * prompt.widthPerPair;
    const ns = (flops * 1e9) / (own.attentionCompute * deviceNamed("gb10").peak.bf16!);
    expect(ours.opNs(prompt) / ns).toBeGreaterThan(1);
    expect(ours.opNs(prompt) / ns).toBeLessThan(1.01);
  });

  it.each(cudaGpus)("are never faster on %s than its peaks allow, nor with more rows", (id) => {
    const [, ours] = models(id);
    for (const of of [gemm, experts])
      for (const weightFormat of ["q8_0", "q4_k", "mxfp4_a16"] as const) {
        let before = 0;
        for (const rows of [7, 8, 8.1, 9, 12, 16, 32, 64, 128, 512, 2048]) {
          const op = of(rows, { weightFormat });
          const ns = ours.opNs(op);
          expect(ns).toBeGreaterThanOrEqual(ours.floorNs(op));
          if (rows > 8) expect(ns).toBeGreaterThanOrEqual(before * (1 - 1e-12));
          before = ns;
        }
      }
  });

  it("hold the floor whatever share a profile of a user's own states", () => {
    const [, ours] = models("rtx-4090", { ...own, integerCompute: 1, bytesPerActivation: 1e-3 });
    expect(ours.opNs(gemm(2048))).toBeGreaterThanOrEqual(ours.floorNs(gemm(2048)));
  });

  it("are not in force where they were not measured: other platforms, and no units for int8", () => {
    const without = gpus.filter(({ platform }) => platform !== undefined).map(({ id }) => id);
    expect(without).toContain("mi300x");
    for (const id of without) {
      const [usual, ours] = models(id);
      for (const op of [gemm(2048), experts(64), prompt]) expect(ours.opNs(op)).toBe(usual.opNs(op));
    }
    const { int8: _, ...peak } = deviceNamed("rtx-4090").peak;
    const device = { ...deviceNamed("rtx-4090"), peak };
    const node = { device, devicesPerNode: 1, tiers: [] };
    expect(new CostModel(device, node, "llama.cpp", own).opNs(gemm(2048))).toBe(
      new CostModel(device, node, "llama.cpp").opNs(gemm(2048)),
    );
  });
});

describe("maps of another device", () => {
  it("read no faster than the memories of the two devices were seen to differ", () => {
    const node = nodeNamed("dgx-spark");
    const { achievedBytesPerSecond: own, ...unmeasured } = node.device;
    const source = deviceNamed("rtx-pro-6000");
    const ratio =
      source.achievedBytesPerSecond! / source.memoryBytesPerSecond / (own! / node.device.memoryBytesPerSecond);
    expect(ratio).toBeGreaterThan(1.05);
    const op = gemm(1, { outputWidth: 200_000 });
    const [measured, assumed] = [node.device, unmeasured].map((device) => new CostModel(device, node).opNs(op));
    expect(measured! / assumed!).toBeGreaterThan(1.02);
    expect(measured! / assumed!).toBeLessThanOrEqual(ratio + 1e-9);
  });

  it("are the only ones that this concerns: devices with maps of their own are timed as these say", () => {
    for (const id of ["h100-sxm", "h200-sxm", "rtx-pro-6000"]) {
      const { achievedBytesPerSecond: own, ...unmeasured } = deviceNamed(id);
      expect(own).toBeDefined();
      const [with_, without] = [deviceNamed(id), unmeasured].map((device) =>
        new CostModel(device, { device, devicesPerNode: 1, tiers: [] }, "vllm").opNs(gemm(1, { weightFormat: "bf16" })),
      );
      expect(with_).toBe(without);
    }
  });
});
