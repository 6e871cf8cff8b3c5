import { tierName } from "../offload/tier-name.ts";
import type { Pool } from "../pool.ts";
import type { ResourceUse } from "../result.ts";
import type { RunView } from "./run-view.ts";

/** How long every resource of a run was busy, and the bytes that it moved. */
export function resourceUse({ pools, handover }: RunView): ResourceUse[] {
  if (pools.length === 1) return poolUse(pools[0]!);
  const use = pools.flatMap((pool) =>
    poolUse(pool).map((each) => ({ ...each, name: `${pool.config.name}: ${each.name}` })),
  );
  if (handover === null) return use;
  for (const pool of pools)
    for (const [r, { place, dpRanks: own }] of pool.replicas.entries())
      for (let d = 0; d < own.length; d++) {
        const links = pool.role === "prefill" ? handover.sending : handover.receiving;
        const { busyNs, bytes } = links[place.firstRank + d]!;
        const rank = `${own.length > 1 ? `rank ${d} of ` : ""}replica ${r}`;
        if (busyNs > 0) use.push({ name: `${pool.config.name}: KV hand-over of ${rank}`, busyNs, bytes });
      }
  return use;
}

function poolUse({ replicas, cost, draft, experts, config, roots }: Pool): ResourceUse[] {
  // Expert ranks and links: the mean over replicas and pipeline stages. Their devices work at the same time.
  const copies = replicas.length * config.mapping.pp;
  const use: ResourceUse[] = replicas.map((replica, r) => ({
    name: `replica ${r}`,
    busyNs: replica.busyNs / replica.plans.length,
    bytes: 0,
  }));
  for (const [r, { frontEnds }] of replicas.entries())
    for (const [i, busyNs] of frontEnds.busyNs.entries())
      if (busyNs > 0) use.push({ name: frontEndName(r, i, frontEnds.busyNs.length), busyNs, bytes: 0 });
  const drafting = draft?.layers ?? null;
  for (const [rank, busyNs] of cost.rankBusyNs.entries()) {
    const both = busyNs + (drafting?.rankBusyNs[rank] ?? 0);
    use.push({ name: `experts of rank ${rank}`, busyNs: both / copies, bytes: 0 });
  }
  const linkBusyNs = cost.links.busyNs + (drafting?.links.busyNs ?? 0);
  const linkBytes = cost.links.bytes + (drafting?.links.bytes ?? 0);
  if (linkBusyNs > 0) use.push({ name: "device interconnect", busyNs: linkBusyNs / copies, bytes: linkBytes / copies });
  const { caches, nodes, pages } = experts.offloads;
  if (config.node.device.hostLink !== null)
    for (const [i, { link, writeBacks }] of caches.entries()) {
      use.push({ name: `host link of ${offloadName(config, i)}`, busyNs: link.busyNs, bytes: link.bytes });
      const back = writeBacks?.link;
      if (back !== undefined)
        use.push({ name: `host link back of ${offloadName(config, i)}`, busyNs: back.busyNs, bytes: back.bytes });
    }
  for (const [i, { tiers, uplinks, uplinksBack, memories, socketLinks }] of nodes.entries()) {
    for (const [socket, { busyNs, bytes }] of memories.entries())
      if (busyNs > 0)
        use.push({ name: `${tierName(config.node.tiers, 0)} of socket ${socket} of node ${i}`, busyNs, bytes });
    for (const [from, links] of socketLinks.entries())
      for (const [to, { busyNs, bytes }] of links.entries())
        if (busyNs > 0) use.push({ name: `link from socket ${from} to ${to} of node ${i}`, busyNs, bytes });
    for (const [uplink, { busyNs, bytes }] of uplinks.entries())
      if (busyNs > 0) use.push({ name: `common host link ${uplink} of node ${i}`, busyNs, bytes });
    for (const [uplink, { busyNs, bytes }] of uplinksBack.entries())
      if (busyNs > 0) use.push({ name: `common host link ${uplink} back of node ${i}`, busyNs, bytes });
    const paged = pages[i];
    if (paged !== undefined && paged.thread.busyNs > 0) {
      const { thread, copy } = paged;
      use.push({ name: `page cache of node ${i}`, busyNs: thread.busyNs, bytes: (thread.demands * copy.bytes) / 2 });
    }
    for (const [tier, { busyNs, bytes }] of tiers.entries())
      if (busyNs > 0) use.push({ name: `${tierName(config.node.tiers, tier)} of node ${i}`, busyNs, bytes });
  }
  for (const { node, root, link } of roots.all)
    if (link.busyNs > 0)
      use.push({ name: `root complex ${root} of node ${node}`, busyNs: link.busyNs, bytes: link.bytes });
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
