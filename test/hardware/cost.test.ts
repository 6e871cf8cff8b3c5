import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MathFormat, type StorageFormat, storageFormats } from "../../src/core/dtype.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Device } from "../../src/hardware/device.ts";
import { transferNs } from "../../src/hardware/link-transfer.ts";
import { supportedMath } from "../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed, nodeNamed } from "../../src/hardware/named-profiles.ts";
import type { AttentionOp, GemmOp, GroupedGemmOp, Op } from "../../src/hardware/op.ts";
import { drawn } from "../drawn.ts";
import { link, perfect, syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const modelOf = (device: Device) => new CostModel(device, syntheticNode(device));
const devices = deviceIds.map(deviceNamed);
/** The same devices by their data sheets alone. */
const unmeasured = devices.map(
  (device) => Object.fromEntries(Object.entries(device).filter(([key]) => key !== "kernels")) as unknown as Device,
);

const gemm = (change: Partial<GemmOp> = {}): GemmOp => ({
  kind: "gemm",
  tokens: 4,
  inputWidth: 1000,
  outputWidth: 2000,
  weightFormat: "bf16",
  math: "bf16",
  ...change,
});
const grouped = (change: Partial<GroupedGemmOp> = {}): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs: 64,
  distinctExperts: 32,
  presentedPairs: 0,
  parametersPerExpert: 3 * 2048 * 768,
  shardWidth: 1,
  valuesPerPair: 2048 + 768,
  weightFormat: "bf16",
  math: "bf16",
  ...change,
});
const attention = (change: Partial<AttentionOp> = {}): AttentionOp => ({
  kind: "attentionDecode",
  sequences: 8,
  queryTokens: 8,
  scorePairs: 8000,
  cacheTokens: 8000,
  heads: 32,
  kvHeads: 4,
  latent: false,
  widthPerPair: 256,
  cacheBytesPerToken: 2048,
  cacheFormat: "bf16",
  math: "bf16",
  ...change,
});

const device = fc.constantFrom(...devices);
const dataSheetDevice = fc.constantFrom(...unmeasured);
const weightFormat = fc.constantFrom(...(Object.keys(storageFormats) as StorageFormat[]));
const math = fc.constantFrom("bf16" as const, "fp8" as const, "int8" as const, "fp4" as const);
const count = (max: number) => fc.integer({ min: 1, max });
const gemmOp = fc
  .record({ tokens: count(20_000), inputWidth: count(20_000), outputWidth: count(20_000), weightFormat, math })
  .map(gemm);
const groupedOp = fc
  .record({ distinctExperts: count(256), perExpert: count(2000), parametersPerExpert: count(1e8), weightFormat, math })
  .map(({ perExpert, ...shape }) => grouped({ ...shape, pairs: perExpert * shape.distinctExperts }));
const attentionOp = fc
  .record({
    kind: fc.constantFrom("attentionPrefill" as const, "attentionDecode" as const),
    scorePairs: count(1e8),
    cacheTokens: count(1e6),
    heads: count(128),
    math,
  })
  .map(attention);

/**
 * Peak of the arithmetic an operation can be done in: its own, or 8-bit activations for mxfp4 weights on a device with
 * 4-bit units, which some engines' kernels take.
 */
function peakOf(on: Device, op: Op & { readonly math: MathFormat }): number {
  const own = on.peak[supportedMath(on, op.math)] ?? 0;
  const mxfp4 = op.kind === "groupedGemm" && op.weightFormat === "mxfp4" && on.peak.fp4 !== undefined;
  return mxfp4 ? Math.max(own, on.peak.fp8 ?? 0) : own;
}

/** Bytes of weights or cache an operation has to read, and FLOPs it has to do: the floor of its time. */
function work(op: Op): { bytes: number; flops: number } {
  switch (op.kind) {
    case "gemm": {
      const weights = op.inputWidth * op.outputWidth;
      return { bytes: (weights * storageFormats[op.weightFormat].bitsPerValue) / 8, flops: 2 * op.tokens * weights };
    }
    case "groupedGemm": {
      const bits = storageFormats[op.weightFormat].bitsPerValue;
      const bytes = (op.distinctExperts * op.parametersPerExpert * bits) / 8;
      return { bytes, flops: 2 * op.pairs * op.parametersPerExpert };
    }
    case "attentionPrefill":
    case "attentionDecode":
      return {
        bytes: op.cacheTokens * op.cacheBytesPerToken,
        flops: 2 * op.scorePairs * op.heads * op.widthPerPair,
      };
    default:
      return { bytes: "bytes" in op ? op.bytes : 0, flops: 0 };
  }
}

describe("the physical floor", () => {
  const op: fc.Arbitrary<GemmOp | GroupedGemmOp | AttentionOp> = fc.oneof(gemmOp, groupedOp, attentionOp);

  test("no operation beats the peak bandwidth or the peak arithmetic of any device", () => {
    fc.assert(
      fc.property(device, op, (on, item) => {
        const ns = modelOf(on).opNs(item);
        const { bytes, flops } = work(item);
        expect(ns).toBeGreaterThanOrEqual((bytes / on.memoryBytesPerSecond) * 1e9);
        expect(ns).toBeGreaterThanOrEqual((flops / peakOf(on, item)) * 1e9);
      }),
      { numRuns: drawn(300) },
    );
  });

  test("a device twice as fast in every rate takes half the time beyond its launches", () => {
    fc.assert(
      fc.property(dataSheetDevice, op, (sheet, item) => {
        const launches = { gemmLaunchNs: 0, groupedGemmLaunchNs: 0, attentionLaunchNs: 0 };
        const on = { ...sheet, efficiency: { ...sheet.efficiency, ...launches } };
        const peak = Object.fromEntries(Object.entries(on.peak).map(([format, rate]) => [format, 2 * rate]));
        const vector = on.vectorFlopsPerSecond;
        const faster = {
          ...on,
          peak,
          memoryBytesPerSecond: 2 * on.memoryBytesPerSecond,
          ...(vector === undefined ? {} : { vectorFlopsPerSecond: 2 * vector }),
        };
        expect(modelOf(faster).opNs(item)).toBeCloseTo(modelOf(on).opNs(item) / 2, 6);
      }),
      { numRuns: drawn(200) },
    );
  });

  test("more tokens, pairs, experts, parameters or cached tokens are never cheaper", () => {
    const keys = {
      gemm: ["tokens", "inputWidth", "outputWidth"],
      groupedGemm: ["pairs", "distinctExperts", "parametersPerExpert"],
      attentionPrefill: ["scorePairs", "cacheTokens", "heads"],
      attentionDecode: ["scorePairs", "cacheTokens", "heads"],
    };
    fc.assert(
      fc.property(dataSheetDevice, op, fc.nat(2), count(1000), (on, item, which, extra) => {
        const model = modelOf(on);
        const key = keys[item.kind][which] ?? "";
        const before = (item as unknown as Record<string, number>)[key] ?? 0;
        expect(model.opNs({ ...item, [key]: before + extra })).toBeGreaterThanOrEqual(model.opNs(item) * (1 - 1e-12));
      }),
      { numRuns: drawn(300) },
    );
  });

  test("wider weights are never cheaper", () => {
    const byWidth: StorageFormat[] = ["int4", "mxfp4", "nvfp4", "fp8", "fp8_block", "bf16", "fp32"];
    fc.assert(
      fc.property(dataSheetDevice, groupedOp, fc.nat(5), (on, item, index) => {
        const narrow = { ...item, weightFormat: byWidth[index] ?? "int4" };
        const wide = { ...item, weightFormat: byWidth[index + 1] ?? "fp32" };
        expect(modelOf(on).opNs(wide)).toBeGreaterThanOrEqual(modelOf(on).opNs(narrow));
      }),
    );
  });
});

describe("operations without work take no time", () => {
  const nothing: Op[] = [
    gemm({ tokens: 0 }),
    gemm({ outputWidth: 0 }),
    grouped({ pairs: 0, distinctExperts: 0 }),
    grouped({ parametersPerExpert: 0 }),
    attention({ scorePairs: 0, cacheTokens: 0 }),
    attention({ kind: "attentionPrefill", scorePairs: 0, cacheTokens: 0 }),
    { kind: "elementwise", bytes: 0 },
    { kind: "copy", link: "hostToDevice", bytes: 0 },
    { kind: "allReduce", bytes: 0, ranks: 8, ranksPerNode: 8 },
    { kind: "allToAll", bytes: 0, ranks: 8, ranksPerNode: 8 },
    { kind: "allReduce", bytes: 1e6, ranks: 1, ranksPerNode: 8 },
    { kind: "allToAll", bytes: 1e6, ranks: 1, ranksPerNode: 8 },
  ];
  const model = new CostModel(deviceNamed("h100-sxm"), nodeNamed("h100-sxm-8"));
  test.each(nothing)("$kind %#", (op) => {
    expect(model.opNs(op)).toBe(0);
  });
});

describe("closed forms on a device of round numbers", () => {
  const model = modelOf(syntheticDevice());

  test("a product of few tokens takes its bytes, of many its FLOPs", () => {
    expect(model.opNs(gemm({ tokens: 1 }))).toBeCloseTo(2 * (2e6 + 3000), 6);
    const fastMemory = modelOf(syntheticDevice({ memoryBytesPerSecond: 1e12 }));
    expect(fastMemory.opNs(gemm({ tokens: 1e5 }))).toBeCloseTo((2 * 1e5 * 2e6) / 1000, 3);
  });

  test("grouped experts are read once each, whatever the number of pairs", () => {
    const read = (pairs: number) => model.opNs(grouped({ pairs, valuesPerPair: 0 }));
    expect(read(32)).toBeCloseTo(32 * 3 * 2048 * 768 * 2, 3);
    expect(read(320)).toBe(read(32));
  });

  test("decode attention reads its cache", () => {
    expect(model.opNs(attention({ heads: 1 }))).toBeCloseTo(8000 * 2048, 6);
    expect(model.opNs(attention({ cacheTokens: 0 }))).toBeCloseTo((2 * 8000 * 32 * 256) / 1000, 6);
  });

  test("quantised weights take the bytes of their format, scales included", () => {
    expect(model.opNs(gemm({ tokens: 1, weightFormat: "nvfp4" }))).toBeCloseTo((2e6 * 4.5) / 8 + 2 * 3000, 6);
  });

  test("the p-norm of memory and compute time follows its definition", () => {
    for (const norm of [1, 2, 3, 7.5]) {
      const on = syntheticDevice({ efficiency: { ...perfect, rooflineNorm: norm } });
      const op = gemm({ tokens: 900 });
      const memory = 2 * 2e6 + 2 * 900 * 3000;
      const compute = (2 * 900 * 2e6) / 1000;
      expect(modelOf(on).opNs(op)).toBeCloseTo((memory ** norm + compute ** norm) ** (1 / norm), 3);
    }
  });

  test("padding at most doubles few rows, and adds half a tile to many", () => {
    const tiled = modelOf(syntheticDevice({ memoryBytesPerSecond: 1e15, efficiency: { ...perfect, tileRows: 128 } }));
    const flat = modelOf(syntheticDevice({ memoryBytesPerSecond: 1e15 }));
    const ratio = (op: Op) => tiled.opNs(op) / flat.opNs(op);
    for (const [rows, padded] of [
      [1, 1 + 64 / 65],
      [64, 1.5],
      [64e6, 1 + 1e-6],
    ] as const) {
      expect(ratio(gemm({ tokens: rows }))).toBeCloseTo(padded, 6);
      expect(ratio(grouped({ pairs: rows * 32, distinctExperts: 32 }))).toBeCloseTo(padded, 6);
    }
    // Eight heads of a sequence meet the keys of one head.
    expect(ratio(attention())).toBeCloseTo(1 + 64 / 72, 6);
  });

  test("one row takes as long as its weights take to be read, on every device without measured kernels", () => {
    for (const on of devices.filter(({ kernels }) => kernels === undefined)) {
      const { gemmLaunchNs, groupedGemmLaunchNs, gemmMemory, groupedGemmMemory } = on.efficiency;
      const cost = modelOf(on);
      for (const format of ["bf16", "fp8", "int8", "int4", "mxfp4"] as const) {
        const side = 16_384;
        const one = gemm({ tokens: 1, inputWidth: side, outputWidth: side, weightFormat: format });
        const readNs = (work(one).bytes / on.memoryBytesPerSecond) * 1e9;
        expect(cost.opNs(one) - gemmLaunchNs, `${on.id} ${format}`).toBeLessThan((1.4 * readNs) / gemmMemory);
        const expert = grouped({
          pairs: 8,
          distinctExperts: 8,
          parametersPerExpert: side * side,
          weightFormat: format,
        });
        const expertNs = (work(expert).bytes / on.memoryBytesPerSecond) * 1e9;
        expect(cost.opNs(expert) - groupedGemmLaunchNs).toBeLessThan((1.4 * expertNs) / groupedGemmMemory);
      }
    }
  });

  test("a launch comes on top, and widening weights takes the vector units", () => {
    const launched = modelOf(
      syntheticDevice({
        efficiency: { ...perfect, gemmLaunchNs: 5, groupedGemmLaunchNs: 7, attentionLaunchNs: 11 },
      }),
    );
    for (const [op, ns] of [
      [gemm(), 5],
      [grouped(), 7],
      [attention(), 11],
    ] as const)
      expect(launched.opNs(op) - model.opNs(op)).toBeCloseTo(ns, 6);
    expect(launched.opNs(gemm({ tokens: 0 }))).toBe(0);
    expect(launched.opNs(attention({ sequences: 0, scorePairs: 0 }))).toBe(0);

    const vector = { vectorFlopsPerSecond: 1e9, efficiency: { ...perfect, dequantiseFlops: 10 } };
    const slower = (peak: Device["peak"], op: Op) =>
      modelOf(syntheticDevice({ ...vector, peak })).opNs(op) / modelOf(syntheticDevice({ peak })).opNs(op);
    const widened = (peak: Device["peak"], op: Op) => slower(peak, op) > 1.5;
    expect(widened({ bf16: 1e12 }, gemm({ weightFormat: "int4" }))).toBe(true);
    expect(widened({ bf16: 1e12 }, gemm({ weightFormat: "fp8", math: "fp8" }))).toBe(true);
    expect(widened({ bf16: 1e12, fp8: 1e12 }, gemm({ weightFormat: "fp8", math: "fp8" }))).toBe(false);
    expect(widened({ bf16: 1e12 }, gemm())).toBe(false);
    const fp4 = { bf16: 1e12, fp8: 1e12, fp4: 1e12 };
    const one = { distinctExperts: 1, pairs: 1, parametersPerExpert: 2e6, weightFormat: "mxfp4", math: "fp8" } as const;
    expect(widened(fp4, grouped(one))).toBe(false);
  });

  test("an arithmetic below its peak costs its share", () => {
    const op = gemm({ tokens: 1e5, math: "fp8" });
    const base = { peak: { bf16: 1e12, fp8: 2e12 }, memoryBytesPerSecond: 1e12 };
    const slower = syntheticDevice({ ...base, efficiency: { ...perfect, formatCompute: { fp8: 0.8 } } });
    expect(modelOf(slower).opNs(op)).toBeCloseTo(modelOf(syntheticDevice(base)).opNs(op) / 0.8, 3);
  });

  test("each efficiency slows its own operation and no other", () => {
    const base: Partial<Device> = { peak: { bf16: 1e12 } };
    const manyFlops = { scorePairs: 1e9, cacheTokens: 1 };
    const ops = {
      gemmCompute: gemm({ tokens: 1e6, inputWidth: 1e6, outputWidth: 1e6 }),
      gemmMemory: gemm({ tokens: 1 }),
      groupedGemmCompute: grouped({ pairs: 1e7, valuesPerPair: 0 }),
      groupedGemmMemory: grouped({ pairs: 32, valuesPerPair: 0 }),
      attentionPrefillCompute: attention({ kind: "attentionPrefill", ...manyFlops }),
      attentionDecodeCompute: attention(manyFlops),
      attentionDecodeMemory: attention({ heads: 1 }),
      elementwiseMemory: { kind: "elementwise", bytes: 1000 },
    } as const satisfies Record<string, Op>;
    expect(model.opNs(ops.elementwiseMemory)).toBe(1000);
    for (const name of Object.keys(ops)) {
      const slower = modelOf(syntheticDevice({ ...base, efficiency: { ...perfect, [name]: 0.5 } }));
      for (const [other, op] of Object.entries(ops))
        expect(slower.opNs(op) / model.opNs(op), `${name} on ${other}`).toBeCloseTo(name === other ? 2 : 1, 9);
    }
  });

  test("a copy takes its latency and its bytes over the used share of the link", () => {
    const slow = { ...link, latencyNs: 500, efficiency: 0.5 };
    expect(transferNs(slow, 1000)).toBe(500 + 2000);
    const on = syntheticDevice({ hostLink: slow, scaleUp: { ...link, latencyNs: 7 }, scaleOut: null });
    const node = syntheticNode(on, {
      tiers: [{ id: "disk", kind: "nvme", bytes: 1e12, read: { ...link, latencyNs: 9 } }],
    });
    const copies = new CostModel(on, node);
    expect(copies.opNs({ kind: "copy", link: "hostToDevice", bytes: 1000 })).toBe(2500);
    expect(copies.opNs({ kind: "copy", link: "deviceToHost", bytes: 1000 })).toBe(2500);
    expect(copies.opNs({ kind: "copy", link: "scaleUp", bytes: 1000 })).toBe(1007);
    expect(copies.opNs({ kind: "copy", link: "disk", bytes: 1000 })).toBe(1009);
    expect(() => copies.opNs({ kind: "copy", link: "scaleOut", bytes: 1000 })).toThrow("scale-out link");
  });

  test("unified memory needs no host copy", () => {
    const on = syntheticDevice({ hostLink: null });
    expect(modelOf(on).opNs({ kind: "copy", link: "hostToDevice", bytes: 1e9 })).toBe(0);
  });

  test("a device without the arithmetic runs the next one it has", () => {
    const op = gemm({ tokens: 1e5, math: "fp4" });
    const both = modelOf(syntheticDevice({ peak: { bf16: 1e12, fp8: 2e12 } }));
    expect(both.opNs(op)).toBe(both.opNs({ ...op, math: "fp8" }));
    expect(model.opNs(op)).toBe(model.opNs({ ...op, math: "bf16" }));
  });
});

describe("a Qwen3-30B-A3B layer in bf16 on RTX PRO 6000", () => {
  const node = nodeNamed("rtx-pro-6000-2");
  const { kernels: _, ...unmeasured } = node.device;
  const expert = 3 * 2048 * 768;
  const layer = { pairs: 512, presentedPairs: 512, parametersPerExpert: expert, shardWidth: 768 };
  /** Time of 64 more distinct experts, each, us. */
  const slopeUs = (model: CostModel) => {
    const decode = (distinctExperts: number) => model.opNs(grouped({ ...layer, distinctExperts }));
    return (decode(128) - decode(64)) / 64 / 1000;
  };

  test("an expert weighs 9.437 MB", () => {
    expect(expert * 2).toBe(9_437_184);
  });

  // Measured under vLLM 0.19.0 up to 64 tokens: 6.26 us per activated expert (LLMServingSim profiles).
  test("every further distinct expert costs 6.26 us as measured: within 25 % by the roofline of GPUs, 15 % by map", () => {
    expect(Math.abs(slopeUs(new CostModel(unmeasured, node)) / 6.26 - 1)).toBeLessThan(0.25);
    expect(Math.abs(slopeUs(new CostModel(node.device, node, "vllm")) / 6.26 - 1)).toBeLessThan(0.15);
    const bytesUs = (expert * 2) / (1597e9 * unmeasured.efficiency.groupedGemmMemory) / 1e-6;
    expect(Math.abs(slopeUs(new CostModel(unmeasured, node)) / bytesUs - 1)).toBeLessThan(0.02);
  });
});
