import type { Device } from "../device.ts";
import type { CollectiveOp } from "../op.ts";
import { type CostContext, nsPerSecond, type OpCost } from "./context.ts";
import { crossingNs, Fabric, nearLink } from "./fabric.ts";
import { type MappedShape, mappedByFormat } from "./mapped.ts";

type CollectiveKind = CollectiveOp["kind"];

/** Bytes that a rank has to receive inside a node, at the least. */
const receivedBytes: Readonly<Record<CollectiveKind, (op: CollectiveOp) => number>> = {
  // With reduction in the switch each byte crosses a rank's link once; a ring needs 2 (n - 1) / n.
  allReduce: (op) => op.bytes,
  allGather: (op) => (op.bytes * (op.ranks - 1)) / op.ranks,
  reduceScatter: (op) => (op.bytes * (op.ranks - 1)) / op.ranks,
  allToAll: (op) => op.bytes,
};

const nearNsPerByte = (device: Device): number => nsPerSecond / nearLink(device).bytesPerSecond;

/** Collectives inside a node: one crossing and their bytes over the nominal link, by size and number of ranks. */
export const collectiveShape: MappedShape<CollectiveOp> = {
  axes: [
    { name: "bytes", of: (op) => op.bytes },
    { name: "ranks", of: (op) => op.ranks },
  ],
  idealNs: (op, rates) => crossingNs + receivedBytes[op.kind](op) * nearNsPerByte(rates.device),
};

/** Time of a collective inside a node by measured maps; null where the device has none of the kind. */
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
 * All-reduce, all-gather and reduce-scatter. Inside a node by measured maps or, without them, by rings
 * (bandwidth-optimal): every rank moves (n-1)/n of the buffer, an all-reduce twice. Across nodes the hierarchical form:
 * inside the node first, then each rank its share of the node's buffer over the scale-out link.
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

/** Direct exchange: the bytes a rank sends spread evenly over its peers, those near and those on other nodes. */
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
