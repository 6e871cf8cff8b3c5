import fc from "fast-check";
import { expect } from "vitest";
import type { SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import {
  singleDevice,
  testConfig,
  testEngine,
  testNode,
  testOffload,
  testRequests,
  testRouting,
  tinyModel,
} from "../build.ts";
import { type NaiveCase, runNaively } from "./naive-contention.ts";

const layers = 4;
const experts = 8;
const topK = 2;
const expertBytes = 3 * 256 * 128 * 2;
/** A rate at which bytes take no time that a sum of nanoseconds would show. */
const atOnce = 1e60;
/** Times of an expert in memory, ns, that its bytes at a whole rate give exactly. */
const memoryTimes = [1, 500, 1000, 4000, 12_000].filter(
  (ns) => (expertBytes * 1e9) / Math.round((expertBytes * 1e9) / ns) === ns,
);

/** Times in eighths of nanoseconds: sums of them are exact in any order, and rarely whole. */
const eighths = (max: number) => fc.integer({ min: 1, max: 8 * max }).map((n) => n / 8);

/**
 * Replicas whose steps are prompts of `tokens` tokens each, on devices that compute and send at once but for fixed
 * times.
 */
export const contention = fc.record({
  replicas: fc.integer({ min: 1, max: 4 }),
  ranks: fc.constantFrom<number[]>(1, 2, 4),
  stages: fc.constantFrom<number[]>(1, 1, 2, 4),
  devicesPerNode: fc.constantFrom<number[]>(1, 2, 4, 8, 16, 64),
  slots: fc.integer({ min: 1, max: 8 }),
  hostExperts: fc.constantFrom(null, null, 0, 3, 9, 20),
  overlap: fc.boolean(),
  direct: fc.boolean(),
  linkNs: eighths(3000),
  linkBytesNs: fc.constantFrom(...memoryTimes),
  hostLinkDevices: fc.constantFrom<number[]>(1, 1, 2, 4),
  memoryNs: fc.constantFrom(...memoryTimes),
  twoSockets: fc.boolean(),
  interleaved: fc.boolean(),
  betweenNs: fc.constantFrom(...memoryTimes),
  betweenLatencyNs: fc.constantFrom(0, 60.25),
  memoryLatencyNs: fc.constantFrom(0, 250.125),
  diskNs: eighths(20_000),
  kernelNs: eighths(2000),
  launchNs: eighths(200),
  hostNs: eighths(5000),
  handoffNs: fc.integer({ min: 0, max: 3000 }),
  tokens: fc.integer({ min: 1, max: 5 }),
  exclusive: fc.boolean(),
  pageExperts: fc.constantFrom(null, null, 0, 4, 20),
  copyNs: fc.constantFrom(...memoryTimes),
  gaps: fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 16 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});
export type Contention = typeof contention extends fc.Arbitrary<infer T> ? T : never;

/** One sequence of `tokens` rows for each request. */
function tableOf(c: Contention): RoutingTable {
  const rows = c.gaps.length * c.tokens;
  const table = testRouting(layers, experts, topK, rows, c.seed);
  const sequenceStarts = Uint32Array.from({ length: c.gaps.length + 1 }, (_, i) => i * c.tokens);
  return { ...table, sequenceStarts };
}

/** A run begins with its first request. */
function arrivals({ gaps }: Contention): number[] {
  let at = 0;
  return gaps.map((gap, i) => {
    if (i > 0) at += gap;
    return at;
  });
}

const fitsOn = (c: Contention) => Math.max(1, Math.floor(c.devicesPerNode / (c.ranks * c.stages)));
const nodeOf = (c: Contention, replica: number, device: number): number => {
  const perReplica = Math.ceil((c.ranks * c.stages) / c.devicesPerNode);
  return Math.floor(replica / fitsOn(c)) * perReplica + Math.floor(device / c.devicesPerNode);
};

/** Place of a device among those of its node. */
const placeOf = (c: Contention, replica: number, device: number): number => {
  const devices = c.ranks * c.stages;
  return devices > c.devicesPerNode ? device % c.devicesPerNode : (replica % fitsOn(c)) * devices + device;
};

/** Whether disks are read through the memory of one socket. */
const plain = ({ twoSockets, direct }: Contention) => !twoSockets && !direct;

export function configOf(c: Contention): SimConfig {
  const base = testNode();
  const instant = { bytesPerSecond: atOnce, efficiency: 1 };
  const sharedBy = Math.min(c.replicas, fitsOn(c));
  const rateOf = (ns: number) => Math.round((expertBytes * 1e9) / ns);
  const between = {
    name: "between sockets",
    bytesPerSecond: rateOf(c.betweenNs),
    latencyNs: c.betweenLatencyNs,
    efficiency: 1,
  };
  return testConfig({
    model: tinyModel({}, layers, experts, topK),
    node: {
      ...base,
      devicesPerNode: c.devicesPerNode,
      hostLinkDevices: c.hostLinkDevices,
      ...(c.twoSockets ? { sockets: { count: 2, link: between } } : {}),
      tiers: [
        {
          id: "ddr",
          kind: "ddr",
          bytes: 64e9,
          read: {
            name: "ddr",
            bytesPerSecond: rateOf(c.memoryNs),
            latencyNs: c.memoryLatencyNs,
            efficiency: 1,
          },
        },
        { id: "nvme", kind: "nvme", bytes: 1e12, read: { name: "nvme", ...instant, latencyNs: c.diskNs } },
      ],
      device: {
        ...base.device,
        peak: { bf16: atOnce },
        memoryBytesPerSecond: atOnce,
        scaleUp: { name: "up", ...instant, latencyNs: c.handoffNs },
        scaleOut: { name: "out", ...instant, latencyNs: c.handoffNs },
        hostLink: { name: "pcie", ...instant, bytesPerSecond: rateOf(c.linkBytesNs), latencyNs: c.linkNs },
        efficiency: {
          ...base.device.efficiency,
          groupedGemmLaunchNs: c.kernelNs,
          collectiveLatencyNs: 0,
          collectiveLatencyNsScaleOut: 0,
        },
      },
    },
    engine: testEngine({ kernelOverheadNs: c.launchNs, stepOverheadNs: c.hostNs, sequenceOverheadNs: 0 }),
    mapping: { ...singleDevice, tp: c.ranks, ep: c.ranks, pp: c.stages },
    replicas: c.replicas,
    scheduler: { ...testConfig().scheduler, maxBatchTokens: c.tokens },
    workload: {
      kind: "open",
      requests: testRequests(arrivals(c).map((at) => ({ at, prompt: c.tokens, output: 1 }))),
    },
    routing: { kind: "replay", table: tableOf(c), layerMap: [0, 1, 2, 3], start: "zero" },
    offload: testOffload({
      slots: c.slots,
      hostBytes: c.hostExperts === null ? 64e9 : sharedBy * c.hostExperts * expertBytes,
      numa: c.interleaved ? "interleave" : "local",
      diskPath: c.direct ? "direct" : "host",
      ...(c.exclusive && plain(c) ? { hostCache: "exclusive" } : {}),
      ...(c.pageExperts !== null && plain(c)
        ? { pageCache: c.pageExperts * expertBytes, pageCopyBytesPerSecond: rateOf(c.copyNs) }
        : {}),
      overlap: c.overlap,
    }),
  });
}

/** The same as plain numbers. */
function naiveOf(c: Contention): NaiveCase {
  const { ids } = tableOf(c);
  const ofDevices = (figure: (replica: number, device: number) => number) =>
    Array.from({ length: c.replicas }, (_, replica) =>
      Array.from({ length: c.stages }, (_, stage) =>
        Array.from({ length: c.ranks }, (_, rank) => figure(replica, stage * c.ranks + rank)),
      ),
    );
  const nodes = ofDevices((replica, device) => nodeOf(c, replica, device));
  // Experts of a replica on the node with most of them.
  const perNode = new Map<number, number>();
  const perDevice = (layers / c.stages) * (experts / c.ranks);
  for (const node of nodes[0]!.flat()) perNode.set(node, (perNode.get(node) ?? 0) + perDevice);
  const most = Math.max(...perNode.values());
  const choices = layers * topK;
  return {
    ...c,
    exclusive: c.exclusive && plain(c),
    pageExperts: plain(c) ? c.pageExperts : null,
    layers,
    experts,
    nodeOf: nodes,
    commonLinkOf:
      c.hostLinkDevices === 1
        ? null
        : ofDevices((replica, device) => Math.floor(placeOf(c, replica, device) / c.hostLinkDevices)),
    socketOf: ofDevices((replica, device) => Math.floor((2 * placeOf(c, replica, device)) / c.devicesPerNode)),
    socketExperts:
      c.hostExperts === null
        ? Number.POSITIVE_INFINITY
        : Math.floor((Math.min(c.replicas, fitsOn(c)) * c.hostExperts) / 2),
    hostExperts: c.hostExperts === null || c.hostExperts >= most ? null : c.hostExperts,
    // Four kernels of attention and six of experts.
    layerNs: 10 * c.launchNs,
    requests: arrivals(c).map((atNs, request) => ({
      atNs,
      replica: request % c.replicas,
      experts: Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: c.tokens }, (_, token) => {
          const from = (request * c.tokens + token) * choices + layer * topK;
          return [...ids.subarray(from, from + topK)];
        }).flat(),
      ),
    })),
  };
}

/** Holds the simulator against the plain run, exactly. Returns the time that transfers stood in line. */
export function judge(c: Contention): number {
  const naive = runNaively(naiveOf(c));
  const { requests, cache, resources } = simulate(configOf(c));
  expect([...requests.firstTokenNs]).toEqual(naive.endNs);
  expect([cache!.misses, cache!.diskReads]).toEqual([naive.misses, naive.diskReads]);
  expect(cache!.stallNs).toBe(naive.stallNs);
  const shared = resources.filter(({ name }) => name.includes(" of node "));
  expect(new Map(shared.map(({ name, busyNs }) => [name, busyNs]))).toEqual(naive.busyNs);
  return naive.waitNs;
}
