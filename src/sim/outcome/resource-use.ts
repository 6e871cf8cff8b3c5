import type { Resource } from "../../core/resource.ts";
import type { ModelTurns } from "../model-cache/model-turns.ts";
import { tierName } from "../offload/tier-name.ts";
import type { Pool } from "../pool.ts";
import type { ResourceUse } from "../result.ts";
import type { RunView } from "./run-view.ts";

/** The use of a resource, with its accounts where it serves in turn. */
export interface ResourcePart extends ResourceUse {
  readonly resource?: Resource;
}

/** How long every resource of a run was busy, and the bytes that it moved. */
export const resourceUse = (run: RunView): ResourceUse[] =>
  resourceParts(run).map(({ name, busyNs, bytes }) => ({ name, busyNs, bytes }));

/** The same with the accounts of resources that serve in turn; with `idle` those among them that have served nothing, too. */
export function resourceParts({ pools, handover, models, nowNs }: RunView, idle = false): ResourcePart[] {
  if (models !== null) return modelUse(pools, models);
  if (pools.length === 1) return poolUse(pools[0]!, nowNs, idle);
  const use = pools.flatMap((pool) =>
    poolUse(pool, nowNs, idle).map((each) => ({ ...each, name: `${pool.config.name}: ${each.name}` })),
  );
  if (handover === null) return use;
  for (const pool of pools)
    for (const [r, { place, dpRanks: own }] of pool.replicas.entries())
      for (let d = 0; d < own.length; d++) {
        const links = pool.role === "prefill" ? handover.sending : handover.receiving;
        const link = links[place.firstRank + d]!;
        const { busyNs, bytes } = link;
        const rank = `${own.length > 1 ? `rank ${d} of ` : ""}replica ${r}`;
        if (idle || busyNs > 0)
          use.push({ name: `${pool.config.name}: KV hand-over of ${rank}`, busyNs, bytes, resource: link });
      }
  return use;
}

/** Models that take turns have their devices together, and one way in. */
function modelUse(pools: readonly Pool[], { room: { link } }: ModelTurns): ResourcePart[] {
  const stepsOf = ({ replicas }: Pool) => replicas.reduce((sum, { busyNs }) => sum + busyNs, 0);
  return [
    { name: "devices", busyNs: pools.reduce((sum, pool) => sum + stepsOf(pool), 0), bytes: 0 },
    ...pools.map((pool) => ({ name: `steps of ${pool.config.name ?? "all models"}`, busyNs: stepsOf(pool), bytes: 0 })),
    { name: "loading models", busyNs: link.busyNs, bytes: link.bytes, resource: link },
  ];
}

function poolUse(
  { replicas, cost, draft, experts, config, roots }: Pool,
  endNs: number,
  idle: boolean,
): ResourcePart[] {
  // Expert ranks and links: the mean over replicas and pipeline stages. Their devices work at the same time.
  const copies = replicas.length * config.mapping.pp;
  const use: ResourcePart[] = replicas.map((replica, r) => ({
    name: `replica ${r}`,
    busyNs: replica.busyNs / replica.plans.length,
    bytes: 0,
  }));
  for (const [r, { frontEnds }] of replicas.entries())
    for (const [i, server] of frontEnds.servers.entries())
      if (idle || server.busyNs > 0)
        use.push({
          name: frontEndName(r, i, frontEnds.servers.length),
          busyNs: server.busyNs,
          bytes: 0,
          resource: server,
        });
  const drafting = draft?.layers ?? null;
  for (const [rank, busyNs] of cost.rankBusyNs.entries()) {
    const both = busyNs + (drafting?.rankBusyNs[rank] ?? 0);
    use.push({ name: `experts of rank ${rank}`, busyNs: both / copies, bytes: 0 });
  }
  const linkBusyNs = cost.links.busyNs + (drafting?.links.busyNs ?? 0);
  const linkBytes = cost.links.bytes + (drafting?.links.bytes ?? 0);
  if (linkBusyNs > 0) use.push({ name: "device interconnect", busyNs: linkBusyNs / copies, bytes: linkBytes / copies });
  const { caches, nodes, pages } = experts.offloads;
  const add = (name: string, resource: Resource) =>
    use.push({ name, busyNs: resource.busyBefore(endNs), bytes: resource.bytes, resource });
  if (config.node.device.hostLink !== null)
    for (const [i, { link, writeBacks }] of caches.entries()) {
      add(`host link of ${offloadName(config, i)}`, link);
      if (writeBacks !== null) add(`host link back of ${offloadName(config, i)}`, writeBacks.link);
    }
  for (const [i, { tiers, uplinks, uplinksBack, memories, socketLinks, processors }] of nodes.entries()) {
    if (idle || processors.busyNs > 0) add(`processors of node ${i}`, processors);
    for (const [socket, memory] of memories.entries())
      if (idle || memory.busyNs > 0) add(`${tierName(config.node.tiers, 0)} of socket ${socket} of node ${i}`, memory);
    for (const [from, links] of socketLinks.entries())
      for (const [to, link] of links.entries())
        if (idle || link.busyNs > 0) add(`link from socket ${from} to ${to} of node ${i}`, link);
    for (const [uplink, link] of uplinks.entries())
      if (idle || link.busyNs > 0) add(`common host link ${uplink} of node ${i}`, link);
    for (const [uplink, link] of uplinksBack.entries())
      if (idle || link.busyNs > 0) add(`common host link ${uplink} back of node ${i}`, link);
    const paged = pages[i];
    if (paged !== undefined && (idle || paged.thread.busyNs > 0)) add(`page cache of node ${i}`, paged.thread);
    for (const [tier, resource] of tiers.entries())
      if (idle || resource.busyNs > 0) add(`${tierName(config.node.tiers, tier)} of node ${i}`, resource);
  }
  for (const { node, root, link } of roots.all)
    if (idle || link.busyNs > 0)
      use.push({
        name: `root complex ${root} of node ${node}`,
        busyNs: link.busyNs,
        bytes: link.bytes,
        resource: link,
      });
  return use;
}

function frontEndName(replica: number, index: number, count: number): string {
  return `front end ${count > 1 ? `${index} ` : ""}of replica ${replica}`;
}

/**
 * Name of an offload state. They are ordered by replica, pipeline stage and expert rank; a lone stage or replica goes
 * unnamed.
 */
function offloadName(config: Pool["config"], index: number): string {
  const { ep, pp } = config.mapping;
  const parts = [`rank ${index % ep}`];
  if (pp > 1) parts.push(`stage ${Math.floor(index / ep) % pp}`);
  if (config.replicas > 1) parts.push(`replica ${Math.floor(index / (ep * pp))}`);
  return parts.join(", ");
}
