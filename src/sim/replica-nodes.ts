import type { Node } from "../hardware/device.ts";
import { devicesOf, type Mapping } from "./mapping.ts";

/**
 * Nodes of the replicas of a deployment. As many whole replicas as fit a node share it. A replica larger than a node
 * has nodes of its own.
 */
export interface ReplicaNodes {
  /** Replicas on a node. */
  readonly sharedBy: number;
  /** Nodes of a replica. */
  readonly perReplica: number;
  readonly nodeOf: (replica: number, rank: number) => number;
  /** Place of a device among those of its node. */
  readonly placeOf: (replica: number, rank: number) => number;
}

export function replicaNodes(mapping: Mapping, replicas: number, { devicesPerNode }: Node): ReplicaNodes {
  const devices = devicesOf(mapping);
  const perReplica = Math.ceil(devices / devicesPerNode);
  const fit = Math.max(1, Math.floor(devicesPerNode / devices));
  return {
    sharedBy: Math.min(replicas, fit),
    perReplica,
    nodeOf: (replica, rank) => Math.floor(replica / fit) * perReplica + Math.floor(rank / devicesPerNode),
    placeOf: (replica, rank) => (perReplica > 1 ? rank % devicesPerNode : (replica % fit) * devices + rank),
  };
}
