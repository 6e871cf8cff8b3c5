import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { MemoryTier, Node } from "../../hardware/device.ts";
import type { PoolConfig } from "../config.ts";
import { moeShape, stageRanks } from "../mapping.ts";
import type { TierMap } from "../memory/memory.ts";
import { replicaNodes } from "../replica-nodes.ts";
import { stagePlans } from "../step/stage-plan.ts";

/** Memory tiers behind the devices of a node. */
export interface OffloadTiers {
  readonly tiers: readonly TierMap[];
  /** Experts of one replica that the host memory of a node holds. */
  readonly hostExperts: number;
  /** Whether these are all that the replica's ranks on the node compute. */
  readonly hostHoldsAll: boolean;
}

/** Host memory, the first tier behind a device; undefined where the device has the host's memory as its own. */
export const hostTier = ({ tiers }: Node): MemoryTier | undefined => tiers.find(({ kind }) => kind !== "nvme");
export const diskTier = ({ tiers }: Node): MemoryTier | undefined => tiers.find(({ kind }) => kind === "nvme");

/**
 * Host memory and NVMe of the fullest node. Replicas on one node have even shares of its host memory for their experts.
 * Experts beyond a share are read from NVMe: one copy there serves all replicas.
 */
export function offloadTiers(config: PoolConfig, hostBytes: number, expertBytes: number): OffloadTiers {
  const { node, mapping, replicas } = config;
  const { sharedBy } = replicaNodes(mapping, replicas, node);
  const experts = expertsOfNode(config);
  const allBytes = experts * expertBytes;
  const host = hostTier(node);
  const disk = diskTier(node);
  const share = Math.floor(Math.min(hostBytes, host?.bytes ?? 0) / sharedBy);
  const hostHoldsAll = allBytes <= share;
  const hostExperts = hostHoldsAll ? experts : Math.floor(share / expertBytes);
  const tiers: TierMap[] = [];
  if (host !== undefined) {
    const each = sharedBy > 1 ? `, for each of ${sharedBy} replicas` : "";
    const name = `${hostHoldsAll ? "home" : "cache"} of ${hostExperts} experts${each}`;
    tiers.push(tierMap(host, name, sharedBy * hostExperts * expertBytes));
  }
  if (hostHoldsAll) return { tiers, hostExperts, hostHoldsAll };
  if (disk === undefined || disk.bytes < allBytes)
    throw new InfeasibleError(
      `the experts do not fit below device memory: ${formatBytes(allBytes)} needed on a node, ` +
        `${formatBytes(share)} of host memory${sharedBy > 1 ? ` for each of ${sharedBy} replicas` : ""} and ` +
        `${formatBytes(disk?.bytes ?? 0)} of NVMe available`,
    );
  tiers.push(tierMap(disk, `home of ${experts} experts`, allBytes));
  return { tiers, hostExperts, hostHoldsAll };
}

function tierMap({ id, bytes: capacityBytes }: MemoryTier, name: string, bytes: number): TierMap {
  return { tier: id, capacityBytes, usedBytes: bytes, items: [{ name, bytes }] };
}

/** Experts of all layers that the ranks of one replica compute on a node, for the node with most of them. */
function expertsOfNode(config: PoolConfig): number {
  const { node, mapping, model, placement } = config;
  const { experts } = moeShape(model)!;
  const { perReplica } = replicaNodes(mapping, 1, node);
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
