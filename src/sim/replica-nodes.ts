import type { Node } from "../hardware/device.ts";
import { devicesOf, type Mapping } from "./mapping.ts";

/**
 * Which nodes the replicas of a deployment lie on. As many replicas as fit a node share it, whole ones only; a replica that
 * is larger has nodes of its own.
 */
export interface ReplicaNodes {
  /** Replicas on a node. */
  readonly sharedBy: number;
  /** Nodes that a replica lies on. */
  readonly perReplica: number;
  readonly nodeOf: (replica: number, rank: number) => number;
}

export function replicaNodes(mapping: Mapping, replicas: number, { devicesPerNode }: Node): ReplicaNodes {
  const devices = devicesOf(mapping);
  const perReplica = Math.ceil(devices / devicesPerNode);
  const fit = Math.max(1, Math.floor(devicesPerNode / devices));
  return {
    sharedBy: Math.min(replicas, fit),
    perReplica,
    nodeOf: (replica, rank) => Math.floor(replica / fit) * perReplica + Math.floor(rank / devicesPerNode),
  };
}
