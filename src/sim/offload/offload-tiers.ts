import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { MemoryTier, Node } from "../../hardware/device.ts";
import { tierKindNames, tierKinds } from "../../hardware/tier-kinds.ts";
import type { PoolConfig } from "../config.ts";
import { moeShape, stageRanks } from "../mapping.ts";
import type { TierMap } from "../memory/memory.ts";
import { replicaNodes } from "../replica-nodes.ts";
import { stagePlans } from "../step/stage-plan.ts";

/** Memory tiers behind the devices of a node. */
export interface OffloadTiers {
  readonly tiers: readonly TierMap[];
  /** Experts of one replica that the first memory tier of a node holds. */
  readonly hostExperts: number;
  /** Whether memory holds all that the replica's ranks on the node compute, and none live on disks. */
  readonly hostHoldsAll: boolean;
  /** [tiers of the node] experts of one replica that have room to live there. */
  readonly homes: readonly number[];
  /** Pages of files that the first memory tier holds, bytes. */
  readonly pageBytes: number;
}

/** Host memory, the first tier behind a device; undefined where the device has the host's memory as its own. */
export const hostTier = ({ tiers }: Node): MemoryTier | undefined => tiers.slice(0, memoryTiers(tiers))[0];

/** How many of the tiers are memory, which devices read in place; the others are disks. Memory comes first. */
export const memoryTiers = (tiers: readonly MemoryTier[]): number => {
  const first = tiers.findIndex(({ kind }) => tierKinds[kind].access === "disk");
  return first < 0 ? tiers.length : first;
};

/**
 * Memory and disks of the fullest node. Experts live in the first tier that has room. Replicas on one node have even shares
 * of its memory; one copy on a disk serves all of them. Where a disk is needed, the first memory tier is nobody's home: it
 * caches the experts that live on disks. On the direct path nothing passes it, and it is a home like the others.
 */
export function offloadTiers(config: PoolConfig, hostBytes: number, expertBytes: number): OffloadTiers {
  const { node } = config;
  const { sharedBy } = replicaNodes(config);
  const disks = memoryTiers(node.tiers);
  const shares = sharesOf(config, hostBytes);
  const room = shares.map((share) => Math.floor(share / expertBytes));
  const { experts, inMemory } = expertsInMemory(config, hostBytes, expertBytes);
  const hostHoldsAll = experts <= inMemory;
  const caches = !hostHoldsAll && disks > 0 && config.offload?.diskPath !== "direct";
  if (caches && config.offload?.tiering === "lru")
    throw new InfeasibleError(
      `policy.offload.tiering lru moves experts between memories that hold all of them: ${formatBytes(experts * expertBytes)} ` +
        `needed on a node, ${formatBytes(inMemory * expertBytes)} available; without that the first memory caches disks ` +
        "(diskPath: direct makes it a home of experts)",
    );
  const homes = caches ? [0, ...room.slice(1)] : room;
  const held = pour(experts, homes);
  if (held.reduce((sum, count) => sum + count, 0) < experts) {
    const spared = caches && disks < node.tiers.length;
    const near = spared ? 1 : 0;
    const aside = `${formatBytes(shares[0] ?? 0)} of ${tierKinds[node.tiers[0]?.kind ?? "ddr"].name}`;
    throw new InfeasibleError(
      `the experts do not fit below device memory: ${formatBytes(experts * expertBytes)} needed on a node, ` +
        `${available(node.tiers.slice(near), shares.slice(near), sharedBy)} available` +
        (spared ? `; ${aside} cache what lives on disks, and hold no expert for good (diskPath: direct would)` : ""),
    );
  }
  const hostExperts = disks === 0 ? 0 : caches ? room[0]! : held[0]!;
  const { pageCache = 0 } = config.offload ?? {};
  const left = disks === 0 ? 0 : Math.max(0, node.tiers[0]!.bytes - hostBytes);
  const pageBytes = hostHoldsAll ? 0 : Math.min(pageCache === "rest" ? left : pageCache, left, experts * expertBytes);
  const each = sharedBy > 1 ? `, for each of ${sharedBy} replicas` : "";
  const tiers = node.tiers.flatMap((tier, i): TierMap[] => {
    if (i >= disks) return held[i] === 0 ? [] : [tierMap(tier, `home of ${held[i]} experts`, held[i]! * expertBytes)];
    const count = i === 0 ? hostExperts : held[i]!;
    if (i > 0 && count === 0) return [];
    const use = i === 0 && caches ? "cache" : "home";
    const map = tierMap(tier, `${use} of ${count} experts${each}`, sharedBy * count * expertBytes);
    return [i === 0 && pageBytes > 0 ? withPages(map, pageBytes) : map];
  });
  return { tiers, hostExperts, hostHoldsAll, homes, pageBytes };
}

/** What lies behind a node's devices, and what is computed there; without a placement, as if there were none. */
type Computed = Pick<PoolConfig, "node" | "mapping" | "model" | "replicas"> &
  Partial<Pick<PoolConfig, "placement" | "firstDevice">>;

/** [tiers] bytes of each for a replica of the fullest node: memory is shared out, a copy on a disk is everybody's. */
function sharesOf(config: Computed, hostBytes: number): number[] {
  const { tiers } = config.node;
  const { sharedBy } = replicaNodes(config);
  const disks = memoryTiers(tiers);
  return tiers.map(({ bytes }, tier) =>
    tier < disks ? Math.floor((tier === 0 ? Math.min(hostBytes, bytes) : bytes) / sharedBy) : bytes,
  );
}

/** Experts of one replica that the fullest node computes, and those that have room in its memories. */
export function expertsInMemory(config: Computed, hostBytes: number, expertBytes: number) {
  const shares = sharesOf(config, hostBytes).slice(0, memoryTiers(config.node.tiers));
  return {
    experts: expertsOfNode(config),
    inMemory: shares.reduce((sum, share) => sum + Math.floor(share / expertBytes), 0),
  };
}

/** How many of `count` go into each of several rooms, the first filled first. */
function pour(count: number, rooms: readonly number[]): number[] {
  let left = count;
  return rooms.map((room) => {
    const here = Math.min(left, room);
    left -= here;
    return here;
  });
}

/** What lies behind the devices of a node, kind by kind, for a message. */
function available(tiers: readonly MemoryTier[], shares: readonly number[], sharedBy: number): string {
  const parts = tierKindNames
    .filter((kind) => kind === "nvme" || tiers.some((tier) => tier.kind === kind))
    .map((kind) => {
      const { name, access } = tierKinds[kind];
      const bytes = tiers.reduce((sum, tier, i) => (tier.kind === kind ? sum + shares[i]! : sum), 0);
      return `${formatBytes(bytes)} of ${name}${access === "memory" && sharedBy > 1 ? ` for each of ${sharedBy} replicas` : ""}`;
    });
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

function tierMap({ id, bytes: capacityBytes }: MemoryTier, name: string, bytes: number): TierMap {
  return { tier: id, capacityBytes, usedBytes: bytes, items: [{ name, bytes }] };
}

/** A tier that holds pages of files beside what else it holds. */
export const withPages = (map: TierMap, bytes: number): TierMap => ({
  ...map,
  usedBytes: map.usedBytes + bytes,
  items: [...map.items, { name: "page cache", bytes }],
});

/** Experts of all layers that the ranks of one replica compute on a node, for the node with most of them. */
function expertsOfNode(config: Computed): number {
  const { node, mapping, model, placement } = config;
  const { experts } = moeShape(model)!;
  const { perReplica } = replicaNodes(config);
  const plans = stagePlans(model, mapping.pp);
  if (perReplica === 1) return plans.reduce((sum, { expertLayers }) => sum + expertLayers, 0) * experts;
  const physicalExpertsPerRank = placement?.physicalExpertsPerRank ?? Math.ceil(experts / mapping.ep);
  const held = new Float64Array(perReplica);
  for (const [stage, { expertLayers }] of plans.entries()) {
    const first = stage * stageRanks(mapping);
    for (let at = 0; at < perReplica; at++) {
      // Expert ranks with a device on the node.
      const from = Math.max(first, at * node.devicesPerNode) - first;
      const to = Math.min(first + stageRanks(mapping), (at + 1) * node.devicesPerNode) - first;
      if (from >= to) continue;
      const ranks = Math.ceil(to / mapping.etp) - Math.floor(from / mapping.etp);
      held[at]! += expertLayers * Math.min(experts, ranks * physicalExpertsPerRank);
    }
  }
  return Math.max(...held);
}
