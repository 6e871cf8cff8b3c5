import type { PoolConfig } from "./config.ts";
import { devicesOf } from "./mapping.ts";

/**
 * Nodes of the replicas of a pool, counted from its first. As many whole replicas as fit a node share it, and as fit behind
 * `firstDevice` the first node. A replica larger than a node has nodes of its own.
 */
export interface ReplicaNodes {
  /** Replicas on the fullest node. */
  readonly sharedBy: number;
  /** Nodes of a replica. */
  readonly perReplica: number;
  readonly nodeOf: (replica: number, rank: number) => number;
  /** Place of a device among those of its node. */
  readonly placeOf: (replica: number, rank: number) => number;
}

export function replicaNodes({
  mapping,
  replicas,
  node: { devicesPerNode },
  firstDevice = 0,
}: Pick<PoolConfig, "mapping" | "replicas" | "node" | "firstDevice">): ReplicaNodes {
  const devices = devicesOf(mapping);
  const perReplica = Math.ceil(devices / devicesPerNode);
  const before = firstDevice % devicesPerNode;
  const fitting = (free: number) => Math.max(1, Math.floor(free / devices));
  const fit = fitting(devicesPerNode);
  const fitFirst = fitting(devicesPerNode - before);
  const isOnFirst = (replica: number) => replica < fitFirst;
  return {
    sharedBy: isOnFirst(replicas - 1) ? replicas : Math.max(fitFirst, Math.min(replicas - fitFirst, fit)),
    perReplica,
    nodeOf: (replica, rank) =>
      (isOnFirst(replica) ? 0 : 1 + Math.floor((replica - fitFirst) / fit)) * perReplica +
      Math.floor(rank / devicesPerNode),
    placeOf: (replica, rank) =>
      ((isOnFirst(replica) ? before + replica * devices : ((replica - fitFirst) % fit) * devices) + rank) %
      devicesPerNode,
  };
}
