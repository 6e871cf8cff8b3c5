import { Resource } from "../core/resource.ts";
import type { PoolConfig } from "./config.ts";
import { stageRanks } from "./mapping.ts";
import { replicaNodes } from "./replica-nodes.ts";

/** Root complexes of the hosts, over which devices without a link of their own to one another exchange data. */
export interface HostRoots {
  /** [replicas][pipeline stages] those that the devices of a stage hang on; null where no other stage or replica does. */
  readonly of: readonly (readonly (readonly Resource[])[])[] | null;
  readonly all: readonly { readonly node: number; readonly root: number; readonly link: Resource }[];
}

/**
 * The root complexes that stages and replicas of a pool share. Device i of a node of n devices hangs on root complex
 * floor(i x roots / n). Experts behind the devices have the host links for themselves: with them, none is shared here.
 */
export function hostRoots(config: PoolConfig): HostRoots {
  const { offload, mapping, node, replicas } = config;
  const ranks = stageRanks(mapping);
  const { device, devicesPerNode, hostRoots: roots = 1 } = node;
  const none = { of: null, all: [] };
  // Models that take turns on the same devices never meet there.
  if (
    config.kvBytes !== undefined ||
    offload !== null ||
    device.scaleUp !== null ||
    device.hostLink === null ||
    ranks === 1
  )
    return none;
  const { nodeOf, placeOf, perReplica } = replicaNodes(config);
  if (perReplica > 1 || replicas * mapping.pp === 1) return none;
  const links = new Map<string, { node: number; root: number; link: Resource }>();
  const of = Array.from({ length: replicas }, (_, replica) => {
    const at = nodeOf(replica, 0);
    return Array.from({ length: mapping.pp }, (__, stage) => {
      const own = new Set<Resource>();
      for (let rank = 0; rank < ranks; rank++) {
        const root = Math.floor((placeOf(replica, stage * ranks + rank) * roots) / devicesPerNode);
        const known = links.get(`${at}.${root}`) ?? { node: at, root, link: new Resource() };
        links.set(`${at}.${root}`, known);
        own.add(known.link);
      }
      return [...own];
    });
  });
  return { of, all: [...links.values()] };
}
