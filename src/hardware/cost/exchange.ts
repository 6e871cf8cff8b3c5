import { pow } from "../../core/pow.ts";
import type { Device } from "../device.ts";
import type { KernelFamily, KernelMap } from "../kernel-maps.ts";
import type { ExchangeLibrary, ExchangeOp } from "../op.ts";
import { type CostContext, missing, nsPerSecond, type OpCost } from "./context.ts";
import { crossingNs, Fabric, nearLink } from "./fabric.ts";
import { type MappedShape, mappedCost, nominalRates } from "./mapped.ts";

/** Map family per direction and mode. */
export const exchangeFamilies = {
  dispatch: { lowLatency: "dispatchLowLatency", normal: "dispatchNormal" },
  combine: { lowLatency: "combineLowLatency", normal: "combineNormal" },
} as const satisfies Record<ExchangeOp["kind"], Record<ExchangeOp["mode"], KernelFamily>>;

/** Engine whose tables measured the kernels inside an NVLink domain. Those of all others measured DeepEP. */
const nvlinkMeasuredUnder = "tensorrt-llm";

/** The map of a library's kernels, which are the same in every engine that calls them; null where the device has none. */
export function exchangeMap(device: Device, library: ExchangeLibrary, family: KernelFamily): KernelMap | null {
  const own = (map: KernelMap) => (map.engine === nvlinkMeasuredUnder) === (library === "nvlink");
  return device.kernels?.maps.find((map) => map.family === family && own(map)) ?? null;
}

/** Expected number of distinct groups among `picks` independent uniform picks of `groups`. */
const distinctGroups = (groups: number, picks: number): number => groups * (1 - pow(1 - 1 / groups, picks));

/** Bytes that one rank sends to the other ranks of its node, none to itself, if experts are picked evenly, times what the routing makes of them. */
export function nearBytes(op: ExchangeOp): number {
  const bytes = op.tokens * op.hidden * op.bytesPerValue;
  const near = Math.min(op.ranks, op.ranksPerNode);
  const copies = op.mode === "lowLatency" ? op.topK : distinctGroups(op.ranks, op.topK);
  return ((bytes * copies * (near - 1)) / op.ranks) * (op.nearScale ?? 1);
}

/** Bytes that one rank sends to other nodes if experts are picked evenly, times what the routing makes of them. */
export function farBytes(op: ExchangeOp): number {
  const nodes = op.ranks / Math.min(op.ranks, op.ranksPerNode);
  const copies = op.mode === "lowLatency" ? op.topK : distinctGroups(nodes, op.topK);
  return ((op.tokens * op.hidden * op.bytesPerValue * copies * (nodes - 1)) / nodes) * (op.farScale ?? 1);
}

/** One crossing, and the bytes at the nominal rates of the links. Inside and between nodes they travel side by side. */
export function exchangeIdealNs(op: ExchangeOp, device: Device): number {
  const inside = nearBytes(op);
  const near = inside === 0 ? 0 : inside / nearLink(device).bytesPerSecond;
  const bytes = farBytes(op);
  if (bytes === 0) return crossingNs + nsPerSecond * near;
  const link = device.scaleOut ?? missing(`a scale-out link for ${op.ranks} ranks`, device);
  return crossingNs + nsPerSecond * Math.max(near, bytes / link.bytesPerSecond);
}

/** Expert exchange by bytes of a rank, number of ranks, and experts of a rank: each expert is a message of its own. */
export const exchangeShape: MappedShape<ExchangeOp> = {
  axes: [
    { name: "bytes", of: (op) => op.tokens * op.topK * op.hidden * op.bytesPerValue },
    { name: "ranks", of: (op) => op.ranks },
    { name: "expertsPerRank", of: (op) => op.experts / op.ranks },
  ],
  idealNs: (op, rates) => exchangeIdealNs(op, rates.device),
};

/** Dispatch and combine by measured maps, else as an all-to-all: its latency, and the bytes at its efficiency. */
export function exchangeCost(context: CostContext): OpCost<ExchangeOp> {
  const fabric = new Fabric(context);
  const { allToAllBandwidth, collectiveLatencyNs } = context.device.efficiency;
  const rates = nominalRates(context.device);
  const mapped = (library: ExchangeLibrary, family: KernelFamily) => {
    const map = exchangeMap(context.device, library, family);
    return map === null ? null : mappedCost(map, exchangeShape, rates);
  };
  const costsOf = (library: ExchangeLibrary) => ({
    dispatch: { lowLatency: mapped(library, "dispatchLowLatency"), normal: mapped(library, "dispatchNormal") },
    combine: { lowLatency: mapped(library, "combineLowLatency"), normal: mapped(library, "combineNormal") },
  });
  const costs = { deepep: costsOf("deepep"), nvlink: costsOf("nvlink") };
  const inDomain: ExchangeOp = {
    kind: "dispatch",
    library: "deepep",
    mode: "normal",
    tokens: 0,
    hidden: 0,
    topK: 0,
    experts: 0,
    ranks: 0,
    ranksPerNode: 0,
    bytesPerValue: 0,
    nearScale: 1,
    farScale: 1,
  };
  return (op) => {
    if (!(op.ranks > 1 && op.tokens > 0)) return 0;
    // A rack domain counts as one node.
    Object.assign(inDomain, op);
    inDomain.ranksPerNode = fabric.nearRanks(op);
    inDomain.nearScale = op.nearScale ?? 1;
    inDomain.farScale = op.farScale ?? 1;
    const cost = costs[op.library][op.kind][op.mode];
    if (cost !== null) return cost(inDomain);
    const far = farBytes(inDomain);
    return (
      collectiveLatencyNs +
      fabric.nearNs(nearBytes(inDomain), inDomain.ranksPerNode, allToAllBandwidth) +
      (far > 0 ? fabric.farNs(far, inDomain) : 0)
    );
  };
}

/** Bytes that a rank sends inside its node, at the nominal rate of the link; those between nodes are not counted. */
export function exchangeFloor({ device }: CostContext): OpCost<ExchangeOp> {
  const link = device.scaleUp ?? device.hostLink;
  return (op) => (link === null || !(op.ranks > 1) ? 0 : (nearBytes(op) * nsPerSecond) / link.bytesPerSecond);
}
