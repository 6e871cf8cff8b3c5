import fc from "fast-check";
import { z } from "zod";
import { RandomStream } from "../../src/core/random.ts";
import { expertExchanges } from "../../src/engine/exchange/expert-exchange.ts";
import type { MemoryTier, Node } from "../../src/hardware/device.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { chained, expertHomes } from "../../src/models/visits.ts";
import { admissions } from "../../src/policy/cache/admission/admissions.ts";
import { cachePolicies, livePolicyNames } from "../../src/policy/cache/caches.ts";
import { type CachePolicy, configured } from "../../src/policy/cache/expert-cache.ts";
import type { DispatchChoice, DispatchPolicy } from "../../src/policy/dispatch/dispatch.ts";
import { type DispatchName, dispatches } from "../../src/policy/dispatch/dispatches.ts";
import { type MissPolicyName, missPolicies } from "../../src/policy/miss/miss-policies.ts";
import type { MissPolicy } from "../../src/policy/miss/miss-policy.ts";
import type { Placement } from "../../src/policy/placement/placement.ts";
import { placements } from "../../src/policy/placement/placements.ts";
import type { RebalanceName } from "../../src/policy/rebalance/rebalances.ts";
import { routers } from "../../src/policy/router/routers.ts";
import type { OffloadConfig, SimConfig } from "../../src/sim/config.ts";
import { cpKvCaches, exchangesTokens, type Mapping } from "../../src/sim/mapping.ts";
import type { RequestTable } from "../../src/trace/request-table.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { applyTransforms } from "../../src/trace/transform/apply-transforms.ts";
import type { ChosenTransform } from "../../src/trace/transform/transforms.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testExpertKernels,
  testNode,
  testRequests,
  testRouting,
  tinyMla,
  tinyModel,
  tinyScan,
  withoutSome,
} from "./build.ts";
import { rebalanceOf } from "./rebalance/build.ts";

type Layer = ModelSpec["layers"][number];

const { attention: gqa, feedForward: moe } = tinyModel().layers[0]!;
if (gqa.kind !== "gqa" || moe.kind !== "moe") throw new Error("unexpected tiny model");
const window = { ...gqa, windowTokens: 48 };
const state = {
  kind: "linear" as const,
  projectionParameters: 1000,
  stateValues: 1000,
  smallParameters: 0,
  scan: tinyScan,
};
const dense = { kind: "dense" as const, width: 512, matrices: 3 as const };
const shared = { ...moe, sharedWidth: 64, expertHidden: 128 };
const stacks: readonly (readonly Layer[])[] = [
  Array.from({ length: 4 }, () => ({ attention: gqa, feedForward: moe })),
  [
    { attention: gqa, feedForward: dense },
    { attention: window, feedForward: moe },
    { attention: gqa, feedForward: moe },
  ],
  [
    { attention: tinyMla, feedForward: shared },
    { attention: tinyMla, feedForward: shared },
  ],
  [
    { attention: window, feedForward: moe },
    { attention: window, feedForward: { kind: "none" } },
  ],
  [
    { attention: state, feedForward: moe },
    { attention: { ...window, chunked: true }, feedForward: moe },
    { attention: gqa, feedForward: moe },
    { attention: state, feedForward: dense },
  ],
  [
    { attention: state, feedForward: moe },
    { attention: state, feedForward: moe },
  ],
  [...chained({ attention: gqa, feedForward: moe }, 3, "own"), { attention: gqa, feedForward: moe }],
];

const mappings = [
  { tp: 1 },
  { dp: 2, ep: 2 },
  { dp: 3, ep: 3 },
  { tp: 2, etp: 2 },
  { tp: 2, ep: 2 },
  { dp: 4, etp: 4 },
  { tp: 2, dp: 2, ep: 2, etp: 2 },
  { pp: 2 },
  { pp: 2, dp: 2, ep: 2 },
  { pp: 2, tp: 4, ep: 4 },
  { dp: 16, ep: 8, etp: 2 },
  { cp: 2, ep: 2 },
  { cp: 3, etp: 3 },
  { tp: 2, cp: 2, ep: 2, etp: 2 },
  { pp: 2, cp: 2, dp: 2, ep: 4 },
  { dp: 2, edp: 2 },
  { tp: 2, dp: 4, ep: 4, edp: 2 },
  // Data-parallel ranks whose context-parallel parts have different copies of the experts.
  { cp: 4, ep: 2, edp: 2 },
  { cp: 3, dp: 2, ep: 2, edp: 3 },
].map((degrees) => ({ ...singleDevice, ...degrees }));

/** Conversations that share leading blocks and differ in the last ones. */
function prefixFor(prompts: readonly number[], blockTokens: number, rng: RandomStream): RequestTable["prefix"] {
  const ids: number[] = [];
  const offsets = [0];
  let fresh = 1000;
  for (const prompt of prompts) {
    const blocks = Math.ceil(prompt / blockTokens);
    const conversation = rng.below(3) * 100;
    const common = rng.below(blocks + 1);
    for (let b = 0; b < blocks; b++) ids.push(b < common ? conversation + b : fresh++);
    offsets.push(ids.length);
  }
  return { blockTokens, offsets: Uint32Array.from(offsets), ids: Uint32Array.from(ids) };
}

/** Deployments and workloads of every kind the simulator knows, small enough to run by the hundred. */
export const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  n: fc.integer({ min: 1, max: 30 }),
  gap: fc.constantFrom(0, 1000, 1_000_000, 20_000_000),
  stack: fc.nat(stacks.length - 1),
  /** Visits of the experts of a layer, one after the other. */
  visits: fc.constantFrom(1, 1, 1, 2, 3),
  mapping: fc.constantFrom(...mappings),
  cpKvCache: fc.constantFrom(...cpKvCaches),
  replicas: fc.integer({ min: 1, max: 3 }),
  frontEnds: fc.integer({ min: 1, max: 3 }),
  tokeniseNs: fc.constantFrom(0, 1000, 100_000),
  chunked: fc.boolean(),
  mixes: fc.boolean(),
  overlaps: fc.boolean(),
  exchange: fc.constantFrom(...expertExchanges),
  /** Factors and overheads of the engine: none the same as another. */
  engine: fc.record({
    kernelExcess: fc.double({ min: 1.05, max: 1.3, noNaN: true }),
    prefillExcess: fc.double({ min: 0.7, max: 0.95, noNaN: true }),
    collectiveFactor: fc.double({ min: 1.35, max: 2, noNaN: true }),
    eagerLaunchNs: fc.integer({ min: 100, max: 9000 }),
    kernelOverheadNs: fc.integer({ min: 100, max: 3000 }),
    prefillStepOverheadNs: fc.integer({ min: 1, max: 50_000 }),
    capturesGraphs: fc.boolean(),
    schedulesAhead: fc.boolean(),
  }),
  devicesPerNode: fc.constantFrom(1, 4, 8),
  /** Whether experts are timed by maps of measured kernels. */
  mapped: fc.boolean(),
  maxBatchTokens: fc.integer({ min: 1, max: 400 }),
  maxSequences: fc.integer({ min: 1, max: 20 }),
  recvInterval: fc.constantFrom(1, 1, 2, 7),
  blockTokens: fc.constantFrom(1, 8, 16, 24),
  freeBlocks: fc.integer({ min: 1, max: 80 }),
  prefix: fc.option(fc.constantFrom(1, 5, 16, 24, 64)),
  closed: fc.option(fc.integer({ min: 1, max: 8 })),
  warmup: fc.nat(10),
  routing: fc.constantFrom("uniform" as const, "zero" as const, "random" as const),
  /** Share of the choices that a transform took away. */
  skipped: fc.constantFrom(0, 0, 0.3, 1),
  /** What changes the recorded choices before they are replayed. */
  transforms: fc.constantFrom<readonly ChosenTransform[]>(
    [],
    [],
    [],
    [{ kind: "mask", experts: [0, 5], instead: "none" }],
    [{ kind: "mask", experts: [1], layers: [1], instead: "next" }],
    [{ kind: "top-p", p: 0.6 }],
    [
      { kind: "mask", experts: [2, 3, 4], instead: "next" },
      { kind: "top-p", p: 0.9 },
    ],
  ),
  placement: fc.option(fc.constantFrom("eplb" as const, "round-robin" as const, "lpt" as const)),
  slots: fc.option(fc.integer({ min: 1, max: 8 })),
  host: fc.constantFrom(0, 1e6, 64e9),
  hostBytesPerSecond: fc.constantFrom(5e9, 5e10),
  /** Experts in CXL memory, for each replica on a node; none where there is no such tier. */
  cxlExperts: fc.constantFrom(0, 0, 7, 100),
  /** Experts on a disk before the last one; none where there is a single disk. */
  firstDiskExperts: fc.constantFrom(0, 0, 5, 20),
  pinned: fc.boolean(),
  sockets: fc.constantFrom(1, 1, 2, 3),
  numa: fc.constantFrom("local" as const, "interleave" as const),
  diskPath: fc.constantFrom("host" as const, "host" as const, "direct" as const),
  /** How memory behind the devices is used for experts, where the rest of the case allows it. */
  hostCache: fc.constantFrom("inclusive" as const, "exclusive" as const),
  pageCache: fc.constantFrom(undefined, 2e6, "rest" as const),
  tiering: fc.constantFrom("static" as const, "lru" as const),
  hostLinkDevices: fc.constantFrom(1, 1, 2, 4),
  transfersOverlap: fc.boolean(),
  policy: fc.constantFrom(
    ...livePolicyNames.filter((name) => !(cachePolicies[name] as CachePolicy).needs.includes("weights")),
  ),
  halfLife: fc.constantFrom(undefined, 1, 7),
  admission: fc.constantFrom("always" as const, "fitting" as const, "reused" as const),
  miss: fc.constantFrom("fetch" as const, "fetch" as const, ...(Object.keys(missPolicies) as MissPolicyName[])),
  scope: fc.constantFrom("layer" as const, "global" as const),
  router: fc.constantFrom(...(Object.keys(routers) as (keyof typeof routers)[])),
  caches: fc.record({
    windows: fc.constantFrom("shared" as const, "reserved" as const, "full" as const, 0.5),
    chunks: fc.constantFrom("shared" as const, "reserved" as const, "full" as const, 0.5),
    states: fc.constantFrom("shared" as const, "reserved" as const, 0.5),
    statesPerSequence: fc.integer({ min: 1, max: 3 }),
  }),
  drafts: fc.option(
    fc.record({
      acceptance: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
      kind: fc.constantFrom("mtp" as const, "eagle" as const, "free" as const),
      layers: fc.integer({ min: 1, max: 2 }),
    }),
  ),
  /** How tokens are divided among copies, where the rest of the case allows it. */
  dispatch: fc.option(fc.constantFrom(...(Object.keys(dispatches) as DispatchName[]))),
  /** How experts are placed anew, where routing is replayed and ranks hold different experts for good. */
  rebalance: fc.option(
    fc.constantFrom<readonly [RebalanceName, Record<string, unknown>]>(
      ["vllm", { interval: 5, window: 3, async: false }],
      ["vllm", { interval: 9, window: 40 }],
      ["vllm", { interval: 1, window: 1, policy: "trivial" }],
      ["sglang", { interval: 4 }],
      ["sglang", { interval: 2, layersPerChunk: 1, minUtilisation: 0.7 }],
      ["tensorrt-llm", { layerUpdatesPerIter: 2 }],
    ),
  ),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

export function configOf(c: Scenario): SimConfig {
  const rng = new RandomStream(c.seed, "scenario");
  const layers = stacks[c.stack]!.flatMap((layer) => chained(layer, c.visits, c.seed % 2 === 0 ? "own" : "shared"));
  const model = tinyModel({ layers });
  const homes = expertHomes(model);
  let at = 0;
  const rows = Array.from({ length: c.n }, () => {
    at += Math.round(rng.exponential(c.gap + 1));
    return { at, prompt: 1 + rng.below(300), output: 1 + rng.below(30) };
  });
  const prompts = rows.map((row) => row.prompt);
  const requests = testRequests(rows, c.prefix === null ? null : prefixFor(prompts, c.prefix, rng));
  // Fewer recorded layers than the model has: some are replayed twice.
  const table = withoutSome(transformed(c), c.skipped, c.seed);
  const layerMap = homes.map((_, i) => (i * 3 + 1) % 2);
  // A scan of linear attention is not divided.
  const { cp, dp } = c.mapping;
  const scans = layers.some(({ attention }) => attention.kind === "linear");
  const mapping = scans ? { ...c.mapping, cp: 1, dp: cp * dp } : c.mapping;
  const offloads = c.slots !== null && c.routing !== "uniform" && mapping.edp === 1;
  const policy: CachePolicy = cachePolicies[c.policy];
  const missPolicy: MissPolicy = missPolicies[c.miss];
  const onHost = missPolicy.needs.includes("host");
  const diskPath = onHost ? "host" : c.diskPath;
  // What is refused beside these uses of host memory.
  const plain = c.sockets === 1 && missPolicy.narrowBits === undefined;
  const offload: OffloadConfig | null = offloads
    ? {
        miss: { policy: missPolicy, values: z.object(missPolicy.parameters).parse({}) },
        policy: configured(
          policy,
          z.object(policy.parameters).parse(c.policy === "lfu" ? { halfLife: c.halfLife } : {}),
        ),
        admission: { admission: admissions[c.admission], values: { uses: 2, window: 30 } },
        scope: policy.needs.includes("layers") ? "global" : c.scope,
        slots: c.slots ?? 1,
        hostBytes: c.host,
        pinned: c.pinned,
        diskPath,
        ...(c.sockets === 1 ? {} : { numa: onHost ? "interleave" : c.numa }),
        ...(plain && diskPath === "host" ? { hostCache: c.hostCache } : {}),
        ...(plain && diskPath === "host" && c.pageCache !== undefined ? { pageCache: c.pageCache } : {}),
        ...(plain && (diskPath === "direct" || c.host === 64e9) ? { tiering: c.tiering } : {}),
        popularity: Float64Array.from({ length: 16 }, () => rng.below(100)),
        overlap: c.transfersOverlap,
        logAccessesMax: 5000,
      }
    : null;
  const { ep } = c.mapping;
  const rebalances = c.rebalance !== null && c.routing !== "uniform" && !offloads && ep > 1;
  const holding = [...new Set(homes)];
  const chosenDispatch = dispatchFor(c.dispatch, mapping, {
    replays: c.routing !== "uniform",
    offloads,
    entries: homes.length * 8,
  });
  const placed =
    c.placement === null
      ? null
      : placements[c.placement].place({
          layers: holding.length,
          experts: 8,
          ranks: ep,
          nodes: 1,
          groups: 1,
          physicalExperts: (Math.ceil(8 / ep) + (c.placement === "eplb" ? 1 : 0)) * ep,
          loads: Float64Array.from({ length: holding.length * 8 }, () => 1 + rng.below(100)),
        });
  const placement =
    placed === null
      ? null
      : atEveryVisit(
          placed,
          homes.map((home) => holding.indexOf(home)),
        );
  const engine = testEngine({
    ...c.engine,
    mixesPrefillWithDecode: c.mixes,
    overlapsBatches: c.overlaps,
    overlapsSharedExperts: c.overlaps,
    overlapsCombine: c.overlaps,
    dispatchTokensMax: 7,
    expertExchange: c.exchange,
    promptTokenOverheadNs: c.tokeniseNs,
    promptTokenDelayNs: c.tokeniseNs / 2,
    caches: c.caches,
  });
  return testConfig({
    seed: c.seed,
    model,
    engine,
    mapping,
    cpKvCache: c.cpKvCache,
    replicas: c.replicas,
    frontEnds: c.frontEnds,
    node: nodeOf(c),
    scheduler: {
      maxBatchTokens: c.maxBatchTokens,
      maxSequences: c.maxSequences,
      recvInterval: c.recvInterval,
      chunkedPrefill: c.chunked,
      prefixCaching: c.prefix !== null,
      blockTokens: c.blockTokens,
      memoryUtilisation: 1,
      contextTokensMax: 320,
    },
    router: routers[c.router],
    workload: c.closed === null ? { kind: "open", requests } : { kind: "closed", requests, concurrency: c.closed },
    routing: c.routing === "uniform" ? { kind: "uniform" } : { kind: "replay", table, layerMap, start: c.routing },
    placement,
    ...(rebalances ? { rebalance: rebalanceOf(...c.rebalance!) } : {}),
    ...(chosenDispatch !== null ? { dispatch: chosenDispatch } : {}),
    offload,
    speculation:
      c.drafts === null
        ? null
        : {
            draftTokens: c.drafts.acceptance.length,
            acceptance: Float64Array.from(c.drafts.acceptance),
            draft:
              c.drafts.kind === "free" ? { kind: "free" } : { kind: c.drafts.kind, layersPerToken: c.drafts.layers },
          },
    warmupRequests: c.warmup,
  });
}

/**
 * Recorded choices with weights and scores, in which a token chose its experts with the highest, and its transforms
 * applied.
 */
function transformed({ seed, transforms }: Scenario): RoutingTable {
  const recorded = testRouting(2, 8, 2, 150, seed);
  if (transforms.length === 0) return recorded;
  const rng = new RandomStream(seed, "scores");
  const { ids, rows, layers, experts, topK } = recorded;
  const scores = Float32Array.from({ length: rows * layers * experts }, () => rng.uniform() / 2);
  const weights = new Float32Array(ids.length);
  for (let at = 0; at < ids.length; at++) {
    const score = (at % topK === 0 ? 0.8 : 0.6) + rng.uniform() / 10;
    scores[Math.floor(at / topK) * experts + ids[at]!] = score;
    weights[at] = score;
  }
  return applyTransforms({ ...recorded, scores, weights }, transforms, (_, step) => step()).table;
}

/** A dispatch rule with its needs; null where it is refused. */
function dispatchFor(
  name: DispatchName | null,
  mapping: Mapping,
  { replays, offloads, entries }: { replays: boolean; offloads: boolean; entries: number },
): DispatchChoice | null {
  if (name === null || !replays) return null;
  const policy: DispatchPolicy = dispatches[name];
  if (policy.needs.includes("sources") && (mapping.edp > 1 || !exchangesTokens(mapping))) return null;
  if (policy.whatIf === true && offloads) return null;
  return {
    policy,
    values: z.object(policy.parameters).parse({}),
    loads: policy.needs.includes("loads") ? Float64Array.from({ length: entries }, (_, i) => 1 + (i % 5)) : null,
  };
}

/** A placement of the layers that hold experts, laid out by layer and visit. */
function atEveryVisit(placement: Placement, holders: readonly number[]): Placement {
  const { ranks, physicalExpertsPerRank, logicalExperts } = placement;
  const size = ranks * physicalExpertsPerRank;
  return {
    ...placement,
    layers: holders.length,
    logicalExperts: Uint16Array.from({ length: holders.length * size }, (_, at) => {
      const holder = holders[Math.floor(at / size)]!;
      return logicalExperts[holder * size + (at % size)]!;
    }),
  };
}

function nodeOf(c: Scenario): Node {
  const node = testNode({
    memoryBytes:
      8e6 + (c.rebalance === null ? 0 : 1e6) + (c.drafts === null ? 0 : 4e6) + c.freeBlocks * c.blockTokens * 4096,
    ...(c.mapped ? { kernels: testExpertKernels() } : {}),
  });
  const [ddr, nvme] = node.tiers as [MemoryTier, MemoryTier];
  const near = { ...ddr, read: { ...ddr.read, bytesPerSecond: c.hostBytesPerSecond } };
  const cxl: MemoryTier = {
    id: "cxl",
    kind: "cxl",
    bytes: c.cxlExperts * 3 * 256 * 128 * 2,
    read: { name: "cxl", bytesPerSecond: 18e9, latencyNs: 250, efficiency: 1 },
  };
  const first: MemoryTier = {
    id: "small nvme",
    kind: "nvme",
    bytes: c.firstDiskExperts * 3 * 256 * 128 * 2,
    read: { name: "nvme", bytesPerSecond: 3e9, latencyNs: 80_000, efficiency: 1 },
  };
  const tiers = [near, ...(c.cxlExperts === 0 ? [] : [cxl]), ...(c.firstDiskExperts === 0 ? [] : [first]), nvme];
  const link = { name: "between sockets", bytesPerSecond: 2e9, latencyNs: 60, efficiency: 1 };
  return {
    ...node,
    host: {
      count: c.sockets,
      device: { ...node.device, id: "cpu", kind: "cpu", hostLink: null, peak: { bf16: 1e12 } },
    },
    devicesPerNode: c.devicesPerNode,
    hostLinkDevices: c.hostLinkDevices,
    ...(c.sockets === 1 ? {} : { sockets: { count: c.sockets, link } }),
    tiers,
  };
}
