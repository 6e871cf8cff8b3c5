import type { Node } from "../hardware/device.ts";
import type { PoolConfig } from "./config.ts";
import { devicesOf } from "./mapping.ts";
import { reachOf } from "./mapping-over-nodes.ts";
import { replicaNodes } from "./replica-nodes.ts";

/** Where the replicas of a pool lie among the nodes of their system. */
export interface PoolLayout {
  /** Pools whose nodes are the same machines have the same number. */
  readonly system: number;
  /** [replicas] number of its first device, counted over the nodes of the system, and of the one after its last. */
  readonly first: readonly number[];
  readonly end: readonly number[];
}

/**
 * Lays pools out over nodes, each behind the pools before it on the next whole node of its system, or from the device that
 * it states.
 */
export function layOutPools(
  pools: readonly Pick<PoolConfig, "node" | "mapping" | "replicas" | "firstDevice">[],
): PoolLayout[] {
  const systems: Node[] = [];
  const nextFree: number[] = [];
  return pools.map((pool) => {
    const { node, mapping, replicas } = pool;
    const known = systems.findIndex((each) => isSame(each, node));
    const system = known >= 0 ? known : systems.push(node) - 1;
    const devices = devicesOf(mapping);
    const firstDevice = pool.firstDevice ?? nextFree[system] ?? 0;
    const firstNode = Math.floor(firstDevice / node.devicesPerNode);
    const { nodeOf, placeOf } = replicaNodes({ ...pool, firstDevice });
    const first = Array.from(
      { length: replicas },
      (_, replica) => (firstNode + nodeOf(replica, 0)) * node.devicesPerNode + placeOf(replica, 0),
    );
    const end = first.map((device) => device + devices);
    const whole = Math.ceil(Math.max(...end) / node.devicesPerNode) * node.devicesPerNode;
    nextFree[system] = Math.max(nextFree[system] ?? 0, whole);
    return { system, first, end };
  });
}

/** A device that two pools have, and the earlier one of them; null where every device has one pool at most. */
export function sharedDevice(layouts: readonly PoolLayout[]): { pool: number; other: number; device: number } | null {
  for (const [pool, a] of layouts.entries())
    for (const [other, b] of layouts.slice(0, pool).entries())
      if (a.system === b.system)
        for (const [i, from] of a.first.entries())
          for (const [j, start] of b.first.entries()) {
            const device = Math.max(from, start);
            if (device < Math.min(a.end[i]!, b.end[j]!)) return { pool, other, device };
          }
  return null;
}

/** Whether each replica lies in one node where it fits one, and begins with a node where it does not: as it is timed. */
export function keepsToNodes({ first, end }: PoolLayout, { devicesPerNode }: Node): boolean {
  return first.every((device, replica) => {
    const within = device % devicesPerNode;
    const devices = end[replica]! - device;
    return devices > devicesPerNode ? within === 0 : within + devices <= devicesPerNode;
  });
}

/** Whether two pools have devices of one node. */
export function shareNode(a: PoolLayout, b: PoolLayout, { devicesPerNode }: Node): boolean {
  const nodeOf = (device: number) => Math.floor(device / devicesPerNode);
  return (
    a.system === b.system &&
    a.first.some((from, i) =>
      b.first.some((start, j) => nodeOf(from) <= nodeOf(b.end[j]! - 1) && nodeOf(start) <= nodeOf(a.end[i]! - 1)),
    )
  );
}

/** Whether two replicas lie whole in one node, or in one scale-up domain of a rack. */
export function together(a: PoolLayout, replica: number, b: PoolLayout, other: number, node: Node): boolean {
  if (a.system !== b.system) return false;
  const domain = Math.floor(Math.min(a.first[replica]!, b.first[other]!) / reachOf(node));
  return Math.floor((Math.max(a.end[replica]!, b.end[other]!) - 1) / reachOf(node)) === domain;
}

const isSame = (a: Node, b: Node): boolean => a.device.id === b.device.id && a.devicesPerNode === b.devicesPerNode;
