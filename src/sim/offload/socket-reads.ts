import { transferNs } from "../../hardware/link-transfer.ts";
import type { PoolConfig } from "../config.ts";
import { replicaNodes } from "../replica-nodes.ts";
import type { SocketPart, SocketRead } from "../store/host-store.ts";
import { stallCause, tierCause } from "../store/stall-causes.ts";
import type { HostNode } from "./host-node.ts";

/** [devices of an expert rank, from `first` on, that read the memory of one node] the socket of each. */
export function socketsOfRank(config: PoolConfig, replica: number, first: number): number[] {
  const { mapping, node } = config;
  const { devicesPerNode, sockets } = node;
  const place = replicaNodes(config).placeOf(replica, first);
  return Array.from({ length: Math.min(mapping.etp, devicesPerNode) }, (_, i) =>
    Math.floor((((place + i) % devicesPerNode) * (sockets?.count ?? 1)) / devicesPerNode),
  );
}

/**
 * How the devices of an expert rank, on sockets `readers`, read their slices of `bytes`: out of the memory of their own
 * sockets and then, for what had no room there, out of that of each single socket; or of parts that lie interleaved in
 * all of them.
 */
export function socketReads(
  config: PoolConfig,
  node: HostNode,
  readers: readonly number[],
  bytes: number,
): SocketRead[] {
  const sockets = Array.from(node.memories, (_, socket) => socket);
  const { length: count } = sockets;
  const reading = (sliceBytes: (from: number, reader: number) => number) =>
    socketRead(config, node, readers, sliceBytes);
  if (config.offload?.numa === "interleave") {
    const before = (from: number) => Math.floor((bytes * from) / count);
    return [reading((from) => before(from + 1) - before(from))];
  }
  return [
    reading((from, reader) => (from === reader ? bytes : 0)),
    ...sockets.map((lender) => reading((from) => (from === lender ? bytes : 0))),
  ];
}

/** A read in which a device on socket `reader` gets `sliceBytes` out of the memory of socket `from`. */
function socketRead(
  { node }: PoolConfig,
  { memories, socketLinks }: HostNode,
  readers: readonly number[],
  sliceBytes: (from: number, reader: number) => number,
): SocketRead {
  const { count, link } = node.sockets!;
  const { read } = node.tiers[0]!;
  const memory = { ...read, bytesPerSecond: read.bytesPerSecond / count };
  const parts: SocketPart[] = [];
  let linkBytes = 0;
  for (let from = 0; from < count; from++) {
    /** [sockets of readers] */
    const to = new Float64Array(count);
    for (const reader of readers) to[reader]! += sliceBytes(from, reader);
    const all = to.reduce((sum, bytes) => sum + bytes, 0);
    if (all === 0) continue;
    const { latencyNs } = memory;
    const ns = transferNs(memory, all) - latencyNs;
    parts.push({ resource: memories[from]!, cause: tierCause(0), ns, latencyNs, bytes: all });
    for (const [reader, bytes] of to.entries()) {
      if (reader === from || bytes === 0) continue;
      parts.push({
        resource: socketLinks[from]![reader]!,
        cause: stallCause.socketLink,
        ns: transferNs(link, bytes) - link.latencyNs,
        latencyNs: latencyNs + link.latencyNs,
        bytes,
      });
      linkBytes += bytes;
    }
  }
  return { parts, linkBytes };
}
