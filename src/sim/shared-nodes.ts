import type { PoolConfig } from "./config.ts";
import type { HostRoots } from "./host-roots.ts";
import { stageRanks } from "./mapping.ts";
import { replicaNodes } from "./replica-nodes.ts";

/**
 * Which replicas of a pool have steps that may meet at a node's memory or disks, or on its root complexes: [replicas]
 * number of the group whose steps are advanced together in order of time, -1 where nobody else uses what a replica's
 * steps use. The stages of a pipeline are users of their own, for they work on several steps at once.
 */
export function sharingGroups(config: PoolConfig, roots: HostRoots): number[] {
  const { offload, mapping, replicas } = config;
  const groups = Array.from({ length: replicas }, () => -1);
  if (offload === null && roots.of === null) return groups;
  const { nodeOf } = replicaNodes(config);
  const ranks = stageRanks(mapping);
  /** [nodes] the replicas' stages that use it. */
  const users = new Map<number, Set<number>>();
  for (let replica = 0; replica < replicas; replica++)
    for (let rank = 0; rank < mapping.pp * ranks; rank++) {
      const at = nodeOf(replica, rank);
      const known = users.get(at) ?? new Set();
      users.set(at, known.add(replica * mapping.pp + Math.floor(rank / ranks)));
    }
  // Replicas on one node have all of it in common, and a replica on several nodes has them to itself.
  const numbers = new Map<number, number>();
  for (const stages of users.values()) {
    if (stages.size === 1) continue;
    for (const stage of stages) {
      const replica = Math.floor(stage / mapping.pp);
      const first = nodeOf(replica, 0);
      if (!numbers.has(first)) numbers.set(first, numbers.size);
      groups[replica] = numbers.get(first)!;
    }
  }
  return groups;
}
