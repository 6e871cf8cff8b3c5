import { describe, expect, test } from "vitest";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Device } from "../../src/hardware/device.ts";
import {
  chooseMap,
  type KernelMap,
  type KernelMaps,
  kernelFamilies,
  widerOwnMap,
} from "../../src/hardware/kernel-maps.ts";
import { deviceIds, deviceNamed, deviceProfileNamed } from "../../src/hardware/named-profiles.ts";
import type { AttentionOp, GemmOp } from "../../src/hardware/op.ts";
import { parseDeviceProfile, parseKernelMaps } from "../../src/hardware/read-profiles.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";
import { syntheticDevice, syntheticNode } from "./synthetic-device.ts";

const fit: KernelMap["fit"] = {
  tables: [{ name: "gemm.parquet", version: "1.0" }],
  split: "by shape",
  rows: 10,
  shapes: 5,
  fitError: { rows: 10, mean: 0.05, median: 0.04, p90: 0.1, bias: 0 },
  heldOutError: null,
};
const flat = (family: KernelMap["family"], change: Partial<KernelMap> = {}): KernelMap => ({
  family,
  launchNs: 0,
  axes: [],
  efficiency: [0.5],
  fit,
  ...change,
});
const withMaps = (...maps: KernelMap[]): Device => syntheticDevice({ kernels: { device: "synthetic", maps } });
const modelOf = (device: Device, engine: string | null = null) => new CostModel(device, syntheticNode(device), engine);

const gemm: GemmOp = {
  kind: "gemm",
  tokens: 1,
  inputWidth: 1000,
  outputWidth: 2000,
  weightFormat: "bf16",
  math: "bf16",
};
const decode: AttentionOp = {
  kind: "attentionDecode",
  sequences: 2,
  queryTokens: 2,
  scorePairs: 2000,
  cacheTokens: 2000,
  heads: 8,
  kvHeads: 4,
  latent: false,
  widthPerPair: 128,
  cacheBytesPerToken: 1024,
  cacheFormat: "bf16",
  math: "bf16",
};

describe("time by a map", () => {
  test("is the launch time plus the ideal time over the efficiency", () => {
    // A memory-bound product on 1 GB/s: a byte takes a nanosecond, compute adds less than a millionth by the 3-norm.
    const bytes = 2 * 2e6 + 2 * 3000;
    const ns = modelOf(withMaps(flat("gemm", { launchNs: 700, efficiency: [0.25] }))).opNs(gemm);
    expect(ns).toBeCloseTo(700 + 4 * bytes, -1);
  });

  test("follows the shape of the operation along the axes", () => {
    const map = flat("gemm", { axes: [{ name: "tokens", knots: [1, 4] }], efficiency: [0.2, 0.8] });
    const model = modelOf(withMaps(map));
    const plain = modelOf(withMaps(flat("gemm", { efficiency: [1] })));
    const share = (tokens: number) => plain.opNs({ ...gemm, tokens }) / model.opNs({ ...gemm, tokens });
    expect([1, 2, 4, 100].map((tokens) => Number(share(tokens).toFixed(6)))).toEqual([0.2, 0.4, 0.8, 0.8]);
  });

  test("replaces the scalar efficiencies of its own family only", () => {
    const mapped = modelOf(withMaps(flat("gemm")));
    const sheet = modelOf(syntheticDevice());
    expect(mapped.opNs(gemm)).not.toBeCloseTo(sheet.opNs(gemm), 0);
    expect(mapped.opNs(decode)).toBe(sheet.opNs(decode));
  });

  test("prompts pay for every block that writes to the cache, on a relative's map too", () => {
    const prompt: AttentionOp = {
      ...decode,
      kind: "attentionPrefill",
      queryTokens: 2000,
      kvHeads: 8,
      widthPerPair: 256,
    };
    for (const from of [{}, { from: "h200-sxm" }]) {
      const timed = (writeNs: number) => modelOf(withMaps(flat("attentionPrefill", { writeNs, ...from }))).opNs(prompt);
      expect(timed(3) - timed(0)).toBeCloseTo(3 * 2000, 3);
    }
  });

  test("latent attention has maps of its own", () => {
    const model = modelOf(withMaps(flat("attentionDecode", { launchNs: 5 }), flat("latentDecode", { launchNs: 9e9 })));
    expect(model.opNs(decode)).toBeLessThan(9e9);
    expect(model.opNs({ ...decode, latent: true })).toBeGreaterThan(9e9);
  });

  test("an operation without work takes no time, whatever the launch time", () => {
    const model = modelOf(
      withMaps(...(["gemm", "attentionDecode"] as const).map((family) => flat(family, { launchNs: 1000 }))),
    );
    expect(model.opNs({ ...gemm, tokens: 0 })).toBe(0);
    expect(model.opNs({ ...decode, sequences: 0, queryTokens: 0, scorePairs: 0, cacheTokens: 0 })).toBe(0);
  });
});

describe("choice of a map", () => {
  const maps: KernelMaps = {
    device: "synthetic",
    maps: [
      flat("groupedGemm", { engine: "vllm", format: "bf16", launchNs: 1 }),
      flat("groupedGemm", { engine: "sglang", format: "fp8", launchNs: 2 }),
      flat("groupedGemm", { engine: "vllm", format: "nvfp4", launchNs: 3 }),
    ],
  };
  const launch = (engine: string | null, format: "bf16" | "fp16" | "fp8" | "mxfp4") =>
    chooseMap(maps, "groupedGemm", engine, format);

  test("takes engine and format as asked where there is such a map", () => {
    expect(launch("vllm", "bf16")).toMatchObject({ map: { launchNs: 1 }, sameEngine: true, sameFormat: true });
    expect(launch("sglang", "fp8")).toMatchObject({ map: { launchNs: 2 }, sameEngine: true, sameFormat: true });
  });

  test("prefers the right format of another engine to another format of the right engine, and says so", () => {
    expect(launch("vllm", "fp8")).toMatchObject({ map: { launchNs: 2 }, sameEngine: false, sameFormat: true });
  });

  test("takes the nearest format where the right one is missing, and says so", () => {
    expect(launch("vllm", "fp16")).toMatchObject({ map: { launchNs: 1 }, sameFormat: false });
    expect(launch("vllm", "mxfp4")).toMatchObject({ map: { launchNs: 3 }, sameFormat: false });
  });

  test("block-scaled fp8 is nearest to plain fp8, in whatever order the maps come", () => {
    const kernels = (["nvfp4", "bf16", "fp8"] as const).map((format) => flat("gemm", { format }));
    for (const maps of [kernels, kernels.toReversed()])
      expect(chooseMap({ device: "d", maps }, "gemm", null, "fp8_block")?.map.format).toBe("fp8");
  });

  test("prefers the engine's own kernel to another engine's where formats differ in their scales alone", () => {
    const own = flat("groupedGemm", { engine: "vllm", format: "fp8_block", launchNs: 4 });
    const kernels = { device: "d", maps: [...maps.maps, own] };
    expect(chooseMap(kernels, "groupedGemm", "vllm", "fp8")).toMatchObject({ map: own, sameFormat: false });
    expect(chooseMap(kernels, "groupedGemm", "sglang", "fp8")).toMatchObject({
      map: { launchNs: 2 },
      sameFormat: true,
    });
  });

  test("takes of other engines the map fitted to most kernels, in whatever order the maps come", () => {
    const few = flat("groupedGemm", { engine: "sglang", format: "int4" });
    const many = flat("groupedGemm", { engine: "tensorrt-llm", format: "int4", fit: { ...fit, rows: 1000 } });
    for (const list of [
      [few, many],
      [many, few],
    ])
      expect(chooseMap({ device: "d", maps: list }, "groupedGemm", "vllm", "int4")?.map).toBe(many);
  });

  test("knows the engine's own map of the next wider format, which bounds whatever stands in", () => {
    const wider = (engine: string, format: "bf16" | "fp8" | "nvfp4" | "int4") =>
      widerOwnMap(maps, "groupedGemm", engine, format)?.format ?? null;
    expect(wider("vllm", "fp8")).toBe("bf16");
    expect(wider("sglang", "nvfp4")).toBe("fp8");
    expect(wider("vllm", "int4")).toBe("bf16");
    expect(wider("sglang", "fp8")).toBeNull();
    expect(wider("tensorrt-llm", "nvfp4")).toBeNull();
  });

  test("gives nothing for a family without maps", () => {
    expect(chooseMap(maps, "gemm", "vllm", "bf16")).toBeNull();
    expect(chooseMap(undefined, "groupedGemm", "vllm", "bf16")).toBeNull();
  });

  test("reaches the cost of an operation by the engine of the model", () => {
    const device = withMaps(
      flat("allReduce", { engine: "vllm", launchNs: 1e9 }),
      flat("allReduce", { engine: "sglang", launchNs: 2e9 }),
    );
    const ns = (engine: string) =>
      modelOf(device, engine).opNs({ kind: "allReduce", bytes: 1, ranks: 2, ranksPerNode: 8 });
    expect(Math.round(ns("vllm") / 1e9)).toBe(1);
    expect(Math.round(ns("sglang") / 1e9)).toBe(2);
  });
});

describe("kernel maps of a profile", () => {
  const profile = deviceProfileNamed("h100-sxm");
  const own = { device: "h100-sxm", maps: [flat("gemm", { launchNs: 123 })] };

  test("may stand in the profile itself", () => {
    const parsed = parseDeviceProfile({ ...profile, kernels: own }, "mine.json");
    expect(resolveDevice(parsed).kernels).toEqual(own);
  });

  test("come from the first device named that has the family, and say from where", () => {
    const { kernels } = resolveDevice({ ...profile, kernels: ["h200-sxm", "h100-sxm"] });
    expect(kernels?.maps.filter((map) => map.family === "gemm").every(({ from }) => from === "h200-sxm")).toBe(true);
    const families = kernels?.maps.map((map) => `${map.family} ${map.engine} ${map.format}`) ?? [];
    expect(new Set(families).size).toBe(families.length);
  });

  test("are refused for a device that has none", () => {
    expect(() => resolveDevice({ ...profile, kernels: "m2-ultra" })).toThrow("a device with kernel maps");
  });

  test.each([
    ["an efficiency above the physical peak", flat("gemm", { efficiency: [1.01] }), "at most 1"],
    ["a grid with a node missing", flat("gemm", { axes: [{ name: "m", knots: [1, 2] }] }), "one efficiency per node"],
    [
      "knots that do not increase",
      flat("gemm", { axes: [{ name: "m", knots: [2, 2] }], efficiency: [1, 1] }),
      "increasing",
    ],
    ["an unknown family", { ...flat("gemm"), family: "gem" }, "one of gemm"],
  ])("are refused for %s", (_, map, expected) => {
    expect(() => parseKernelMaps({ device: "d", maps: [map] }, "maps.json")).toThrow(expected);
  });

  test("of every shipped device name a known family, and every map keeps the physical peak", () => {
    const mapped = deviceIds.map(deviceNamed).filter((device) => device.kernels !== undefined);
    expect(mapped.length).toBeGreaterThan(0);
    for (const { kernels } of mapped)
      for (const map of kernels?.maps ?? []) {
        expect(kernelFamilies).toContain(map.family);
        expect(Math.max(...map.efficiency)).toBeLessThanOrEqual(1);
      }
  });

  test("of prompts on every measured device time the writes to the cache, at 0.5 to 10 ns a block", () => {
    const prompts = deviceIds
      .map(deviceNamed)
      .flatMap(({ kernels }) => kernels?.maps.filter(({ family }) => family === "attentionPrefill") ?? []);
    expect(prompts.length).toBeGreaterThan(0);
    for (const { writeNs = 0 } of prompts) {
      expect(writeNs).toBeGreaterThan(0.5);
      expect(writeNs).toBeLessThan(10);
    }
  });

  test("decode attention of every mapped device gets no faster when its cache grows a hundredfold", () => {
    for (const device of deviceIds.map(deviceNamed)) {
      const model = modelOf(device);
      const long = { ...decode, scorePairs: 200_000, cacheTokens: 200_000 };
      expect(model.opNs(long), device.id).toBeGreaterThan(model.opNs(decode));
    }
  });
});
