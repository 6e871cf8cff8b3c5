import { RandomStream } from "../../src/core/random.ts";
import type { EngineProfile } from "../../src/engine/engine-profile.ts";
import type { Node } from "../../src/hardware/device.ts";
import type { LinearScan, ModelSpec } from "../../src/models/spec.ts";
import { cachePolicies } from "../../src/policy/cache/caches.ts";
import { routers } from "../../src/policy/router/routers.ts";
import type { OffloadConfig, SimConfig } from "../../src/sim/config.ts";
import { Holding } from "../../src/sim/memory/holding.ts";
import type { KvLayout } from "../../src/sim/memory/kv-plan.ts";
import type { RequestTable } from "../../src/trace/request-table.ts";
import { noExpertId, type RoutingTable } from "../../src/trace/routing-table.ts";

/** A small MoE: shapes chosen so that every number can be worked out by hand. */
export function tinyModel(overrides: Partial<ModelSpec> = {}, layers = 4, experts = 8, topK = 2): ModelSpec {
  return {
    id: "tiny",
    name: "tiny",
    modelType: "test",
    hiddenSize: 256,
    vocabSize: 1024,
    tiedEmbeddings: false,
    contextTokensMax: 4096,
    layers: Array.from({ length: layers }, () => ({
      attention: {
        kind: "gqa" as const,
        queryHeads: 8,
        kvHeads: 4,
        headDim: 32,
        windowTokens: null,
        outputGate: false,
        smallParameters: 0,
      },
      feedForward: {
        kind: "moe" as const,
        experts,
        topK,
        expertWidth: 128,
        matrices: 3 as const,
        expertHidden: 256,
        sharedWidth: 0,
        sharedGate: false,
        expertBiasParameters: 0,
        denseWidth: 0,
        router: { scoring: "softmax" as const, normalisesTopK: true, groups: null, bias: false },
      },
    })),
    mtpLayers: 0,
    formats: {
      embedding: "bf16",
      attention: "bf16",
      dense: "bf16",
      router: "bf16",
      shared: "bf16",
      experts: "bf16",
      head: "bf16",
      norm: "bf16",
    },
    kvFormat: "bf16",
    provenance: {},
    ...overrides,
  };
}

/** Latent attention small enough to work out by hand. */
export const tinyMla = {
  kind: "mla",
  queryHeads: 8,
  queryLoraRank: 64,
  kvLoraRank: 32,
  nopeHeadDim: 32,
  ropeHeadDim: 16,
  valueHeadDim: 32,
  indexer: null,
  smallParameters: 0,
} as const;

/** A scan of linear attention small enough to work out by hand. */
export const tinyScan: LinearScan = {
  rule: "delta",
  heads: 4,
  keyHeads: 2,
  keyDim: 16,
  valueDim: 16,
  chunkTokens: 64,
  convolved: 128,
};

export function testNode(overrides: Partial<Node["device"]> = {}): Node {
  return {
    devicesPerNode: 8,
    tiers: [
      {
        id: "ddr",
        kind: "ddr",
        bytes: 64e9,
        read: { name: "ddr", bytesPerSecond: 50e9, latencyNs: 100, efficiency: 1 },
      },
      {
        id: "nvme",
        kind: "nvme",
        bytes: 1e12,
        read: { name: "nvme", bytesPerSecond: 5e9, latencyNs: 50_000, efficiency: 1 },
      },
    ],
    device: {
      id: "test",
      name: "test",
      kind: "gpu",
      peak: { bf16: 1e14 },
      memoryBytes: 1e9,
      memoryBytesPerSecond: 1e12,
      scaleUp: { name: "up", bytesPerSecond: 1e11, latencyNs: 1000, efficiency: 1 },
      scaleUpDomain: 8,
      scaleOut: { name: "out", bytesPerSecond: 1e10, latencyNs: 5000, efficiency: 1 },
      hostLink: { name: "pcie", bytesPerSecond: 2.5e10, latencyNs: 5000, efficiency: 1 },
      powerW: null,
      idlePowerW: null,
      usdPerHour: null,
      efficiency: {
        gemmCompute: 1,
        gemmMemory: 1,
        groupedGemmCompute: 1,
        groupedGemmMemory: 1,
        attentionPrefillCompute: 1,
        attentionDecodeMemory: 1,
        attentionDecodeCompute: 1,
        elementwiseMemory: 1,
        tileRows: 0,
        gemmLaunchNs: 0,
        groupedGemmLaunchNs: 0,
        attentionLaunchNs: 0,
        dequantiseFlops: 0,
        rooflineNorm: 3,
        allReduceBandwidth: 1,
        allToAllBandwidth: 1,
        collectiveLatencyNs: 2000,
        collectiveLatencyNsScaleOut: 10_000,
      },
      ...overrides,
    },
  };
}

/** Measured expert kernels: better with more rows of an expert, worse with more pairs that others compute. */
export function testExpertKernels(): NonNullable<Node["device"]["kernels"]> {
  const noError = { rows: 1, mean: 0, median: 0, p90: 0, bias: 0 };
  return {
    device: "test",
    maps: [
      {
        family: "groupedGemm",
        launchNs: 700,
        axes: [
          { name: "pairsPerExpert", knots: [1, 64] },
          { name: "weightBytes", knots: [1] },
          { name: "shardWidth", knots: [1] },
          { name: "presentedShare", knots: [1, 8] },
        ],
        efficiency: [0.4, 0.2, 0.8, 0.5],
        fit: { tables: [], split: "none", rows: 1, shapes: 1, fitError: noError, heldOutError: null },
      },
    ],
  };
}

export function testEngine(overrides: Partial<EngineProfile> = {}): EngineProfile {
  return {
    id: "test",
    name: "test",
    version: "1",
    stepOverheadNs: 100_000,
    sequenceOverheadNs: 1000,
    kernelOverheadNs: 1000,
    layerKernels: {
      attention: 4,
      queryKeyNorm: 2,
      outputGate: 1,
      latentAttention: 10,
      indexer: 8,
      linearAttention: 4,
      dense: 6,
      experts: 6,
      sharedExperts: 0,
    },
    requestOverheadNs: 0,
    frontEnds: 1,
    promptTokenOverheadNs: 0,
    promptTokenDelayNs: 0,
    prefillStepOverheadNs: 0,
    eagerLaunchNs: 5000,
    capturesGraphs: true,
    formatKernels: { fp8: 0.5, fp8Block: 2, int4: 2.5, nvfp4: 1, mxfp4: 1.5 },
    // Kernels take their time alone: what remains of their excess is tested apart.
    kernelExcess: 1,
    collectiveFactor: 1.37,
    prefillExcess: 1,
    sparseDenseTokens: 0,
    overlapsBatches: false,
    overlapsSharedExperts: false,
    expertExchange: "allToAll",
    mixesPrefillWithDecode: true,
    schedulesAhead: false,
    caches: { windows: "shared", chunks: "shared", states: "shared", statesPerSequence: 1 },
    handover: null,
    reservesContext: false,
    embedsOnHost: false,
    reservesLogits: false,
    offload: null,
    versions: {},
    defaults: {
      maxBatchTokens: 512,
      maxSequences: 32,
      recvInterval: 1,
      chunkedPrefill: true,
      prefixCaching: false,
      blockTokens: 16,
      memoryUtilisation: 0.9,
    },
    ...overrides,
  };
}

/** Random routing with a mild preference for low expert ids, so that loads are uneven. */
export function testRouting(layers = 4, experts = 8, topK = 2, rows = 300, seed = 1): RoutingTable {
  const rng = new RandomStream(seed, "test-routing");
  const ids = new Uint8Array(rows * layers * topK);
  for (let i = 0; i < rows * layers; i++) {
    const chosen = new Set<number>();
    while (chosen.size < topK) chosen.add(Math.min(rng.below(experts), rng.below(experts)));
    ids.set([...chosen], i * topK);
  }
  return {
    experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.of(0, rows),
    domains: ["any"],
    domainStarts: Uint32Array.of(0, rows),
    modelLayers: Array.from({ length: layers }, (_, i) => i),
    origin: { kind: "synthesised", name: "test", digest: "", sourceRows: rows, phase: "mixed", notes: [] },
  };
}

/** The table with a share of its choices left without an expert. */
export function withoutSome(table: RoutingTable, share: number, seed = 1): RoutingTable {
  const rng = new RandomStream(seed, "without-expert");
  return { ...table, ids: table.ids.map((id) => (rng.uniform() < share ? noExpertId(table) : id)) };
}

/** A cache of eight experts per layer out of host memory with room for all, and no record of what was asked for. */
export const testOffload = (overrides: Partial<OffloadConfig> = {}): OffloadConfig => ({
  policy: cachePolicies.lru,
  admission: null,
  scope: "layer",
  slots: 8,
  hostBytes: 64e9,
  pinned: true,
  popularity: null,
  overlap: true,
  logAccessesMax: 0,
  ...overrides,
});

const defaultRouting = testRouting();

export function testRequests(
  rows: readonly { at?: number; prompt: number; output: number }[],
  prefix: RequestTable["prefix"] = null,
): RequestTable {
  return {
    count: rows.length,
    arrivalNs: Float64Array.from(rows, (row) => row.at ?? 0),
    promptTokens: Uint32Array.from(rows, (row) => row.prompt),
    outputTokens: Uint32Array.from(rows, (row) => row.output),
    classOf: new Uint16Array(rows.length),
    classes: ["default"],
    domainOf: null,
    domains: [],
    prefix,
    origin: { kind: "generated", name: "test", digest: "", notes: [] },
  };
}

export const singleDevice = { tp: 1, cp: 1, dp: 1, pp: 1, ep: 1, etp: 1, edp: 1 } as const;

export function testConfig(overrides: Partial<SimConfig> = {}): SimConfig {
  const model = overrides.model ?? tinyModel();
  const engine = overrides.engine ?? testEngine();
  return {
    seed: 1,
    model,
    formats: model.formats,
    kvFormat: model.kvFormat,
    node: testNode(),
    engine,
    mapping: singleDevice,
    replicas: 1,
    frontEnds: 1,
    readyNs: 0,
    scheduler: { ...engine.defaults, contextTokensMax: 4096 },
    router: routers["round-robin"],
    workload: { kind: "open", requests: testRequests([{ prompt: 100, output: 10 }]) },
    routing: { kind: "replay", table: defaultRouting, layerMap: [0, 1, 2, 3], start: "random" },
    placement: null,
    offload: null,
    speculation: null,
    warmupRequests: 0,
    ...overrides,
  };
}

/** One pool of `capacity` blocks of full caches. */
export function fullLayout(capacity: number, blockTokens: number): KvLayout {
  const holding = new Holding([{ kind: "full", blockTokens, copies: 1 }]);
  return { main: { capacity, holding }, apart: [], sequenceTokensMax: capacity * blockTokens };
}
