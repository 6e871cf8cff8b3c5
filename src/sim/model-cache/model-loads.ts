import { InfeasibleError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { transferNs } from "../../hardware/link-transfer.ts";
import { devicesOf } from "../mapping.ts";
import type { Pool } from "../pool.ts";

/** Bringing the weights of a model to its devices. */
export interface ModelLoad {
  /** Where they lie: index among the tiers behind the devices. */
  readonly tier: number;
  /** On all devices. */
  readonly bytes: number;
  readonly ns: number;
}

/** [replicas] how each model is loaded. Models fill the tiers in their order; a tier is left for the next one when it is full. */
export function modelLoads(pools: readonly Pool[], overheadNs: number): ModelLoad[] {
  const { tiers } = pools[0]!.config.node;
  let tier = 0;
  let usedBytes = 0;
  return pools.flatMap((pool) => {
    const bytes = pool.memory.weightBytes * devicesOf(pool.config.mapping);
    return pool.replicas.map((): ModelLoad => {
      while (tier < tiers.length && usedBytes + bytes > tiers[tier]!.bytes) {
        tier++;
        usedBytes = 0;
      }
      if (tier === tiers.length) throw noRoom(pools);
      usedBytes += bytes;
      return { tier, bytes, ns: overheadNs + loadNs(pool, tier) };
    });
  });
}

/**
 * Each device takes its part over its own link, or over one that it shares with others, while the tier is read: the slower of both
 * decides. Devices that have the host's memory as their own have no link.
 */
function loadNs({ config: { node, mapping }, memory: { weightBytes } }: Pool, tier: number): number {
  const { device, hostLinkDevices = 1 } = node;
  const devices = devicesOf(mapping);
  const overLink =
    device.hostLink === null ? 0 : transferNs(device.hostLink, weightBytes * Math.min(devices, hostLinkDevices));
  return Math.max(overLink, transferNs(node.tiers[tier]!.read, weightBytes * devices));
}

function noRoom(pools: readonly Pool[]): InfeasibleError {
  const { tiers } = pools[0]!.config.node;
  const needed = pools.reduce(
    (sum, { memory, config, replicas }) => sum + replicas.length * memory.weightBytes * devicesOf(config.mapping),
    0,
  );
  const rooms = tiers.map(({ id, bytes }) => `${formatBytes(bytes)} of ${id}`).join(", ");
  const models = pools.reduce((sum, { replicas }) => sum + replicas.length, 0);
  return new InfeasibleError(
    `the weights of ${models} models do not fit behind the devices: ${formatBytes(needed)} needed, ${rooms || "nothing"} there`,
  );
}
