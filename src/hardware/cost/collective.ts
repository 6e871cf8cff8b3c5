import type { Device } from "../device.ts";
import type { CollectiveOp } from "../op.ts";
import { type CostContext, nsPerSecond, type OpCost } from "./context.ts";
import { crossingNs, Fabric, nearLink } from "./fabric.ts";
import { type MappedShape, mappedByFormat } from "./mapped.ts";

type CollectiveKind = CollectiveOp["kind"];

/** Fewest bytes that a rank has to receive inside a node. */
const receivedBytes: Readonly<Record<CollectiveKind, (op: CollectiveOp) => number>> = {
  // With reduction in the switch each byte crosses a rank's link once; a ring needs 2 (n - 1) / n.
  allReduce: (op) => op.bytes,
  allGather: (op) => (op.bytes * (op.ranks - 1)) / op.ranks,
  reduceScatter: (op) => (op.bytes * (op.ranks - 1)) / op.ranks,
  allToAll: (op) => op.bytes,
};

const nearNsPerByte = (device: Device): number => nsPerSecond / nearLink(device).bytesPerSecond;

/** Collectives inside a node, by bytes and ranks. Ideally: one crossing, and the bytes over the nominal link. */
export const collectiveShape: MappedShape<CollectiveOp> = {
  axes: [
    { name: "bytes", of: (op) => op.bytes },
    { name: "ranks", of: (op) => op.ranks },
  ],
  idealNs: (op, rates) => crossingNs + receivedBytes[op.kind](op) * nearNsPerByte(rates.device),
};

/** Time of a collective inside a node by measured maps, ns; null where the device has none of the kind. */
function mappedNear(context: CostContext, kind: CollectiveKind): ((bytes: number, ranks: number) => number) | null {
  const cost = mappedByFormat(context, kind, collectiveShape)?.("bf16") ?? null;
  if (cost === null) return null;
  const op: CollectiveOp = { kind, bytes: 0, ranks: 0, ranksPerNode: 0 };
  return (bytes, ranks) => {
    op.bytes = bytes;
    op.ranks = ranks;
    return cost(op);
  };
}

/**
 * All-reduce, all-gather and reduce-scatter. Inside a node measured maps give the time; without them it is that of a
 * ring (bandwidth-optimal): every rank moves (n-1)/n of the buffer, twice for an all-reduce. Across nodes the form is
 * hierarchical: inside the node first, then each rank moves its share of the node's buffer over the scale-out link.
 */
export function ringCost(context: CostContext): OpCost<CollectiveOp> {
  const fabric = new Fabric(context);
  const { allReduceBandwidth, allReduceLatencyNs, collectiveLatencyNs } = context.device.efficiency;
  const ring =
    (passes: number, latencyNs: number) =>
    (bytes: number, ranks: number): number =>
      latencyNs + fabric.nearNs((passes * bytes * (ranks - 1)) / ranks, ranks, allReduceBandwidth);
  const nearNs = {
    allReduce: mappedNear(context, "allReduce") ?? ring(2, allReduceLatencyNs ?? collectiveLatencyNs),
    allGather: mappedNear(context, "allGather") ?? ring(1, collectiveLatencyNs),
    reduceScatter: mappedNear(context, "reduceScatter") ?? ring(1, collectiveLatencyNs),
  };
  return (op) => {
    if (!(op.ranks > 1 && op.bytes > 0) || op.kind === "allToAll") return 0;
    const near = fabric.nearRanks(op);
    let ns = near > 1 ? nearNs[op.kind](op.bytes, near) : 0;
    if (op.ranks > near) {
      const groups = Math.ceil(op.ranks / near);
      const passes = op.kind === "allReduce" ? 2 : 1;
      ns += fabric.farNs((passes * (op.bytes / near) * (groups - 1)) / groups, op);
    }
    return ns;
  };
}

/** Direct exchange: the bytes that a rank sends spread evenly over its peers, near and on other nodes. */
export function allToAllCost(context: CostContext): OpCost<CollectiveOp> {
  const fabric = new Fabric(context);
  const { allToAllBandwidth, collectiveLatencyNs } = context.device.efficiency;
  const nearNs =
    mappedNear(context, "allToAll") ??
    ((bytes, ranks) => collectiveLatencyNs + fabric.nearNs(bytes, ranks, allToAllBandwidth));
  return (op) => {
    if (!(op.ranks > 1 && op.bytes > 0)) return 0;
    const near = fabric.nearRanks(op);
    const nearShare = (near - 1) / (op.ranks - 1);
    let ns = near > 1 ? nearNs(op.bytes * nearShare, near) : 0;
    if (op.ranks > near) ns += fabric.farNs(op.bytes * (1 - nearShare), op);
    return ns;
  };
}

/** Bytes that a rank receives inside its node, at the nominal rate of the link; those between nodes are not counted. */
export function collectiveFloor(context: CostContext): OpCost<CollectiveOp> {
  const { scaleUp, hostLink } = context.device;
  if (scaleUp === null && hostLink === null) return () => 0;
  const fabric = new Fabric(context);
  const perByte = nearNsPerByte(context.device);
  return (op) => {
    const near = fabric.nearRanks(op);
    if (!(near > 1 && op.bytes > 0)) return 0;
    const share =
      op.kind === "allReduce" ? 1 : op.kind === "allToAll" ? (near - 1) / (op.ranks - 1) : (near - 1) / near;
    return op.bytes * share * perByte;
  };
}
