import type { Device, Link } from "../device.ts";
import { type CostContext, missing, nsPerSecond } from "./context.ts";

/** A group of ranks and how many of them share a node. */
interface RankGroup {
  readonly ranks: number;
  readonly ranksPerNode: number;
}

/**
 * Time in which a signal reaches another device at best, ns: less than half of the shortest measured collective (2.6
 * us, all-reduce of 256 bytes between two H200, ai-dynamo/aiconfigurator@095f58a measured tables). Latency and
 * bandwidth stay apart, so maps hold on faster and slower links.
 */
export const crossingNs = 1000;

/** Link between devices of one node or rack domain: the scale-up link, or the host link that the devices share. */
export function nearLink(device: Device): Link {
  return device.scaleUp ?? device.hostLink ?? missing("a link between devices", device);
}

/** Ranks of a group that share a scale-up domain, and the links inside and between domains. */
export class Fabric {
  readonly #device: Device;
  readonly #nearIsShared: boolean;
  readonly #roots: number;
  readonly #nodesPerDomain: number;

  constructor({ device, node }: CostContext) {
    this.#device = device;
    this.#nearIsShared = device.scaleUp === null;
    this.#roots = node.hostRoots ?? 1;
    this.#nodesPerDomain = device.scaleUp === null ? 1 : Math.max(1, device.scaleUpDomain / node.devicesPerNode);
  }

  /** Ranks of the group that share a scale-up domain: those of one node, or of all nodes of the rack domain. */
  nearRanks(group: RankGroup): number {
    // Of ranks that lie apart a node holds a fraction.
    return Math.min(group.ranks, Math.max(1, Math.floor(group.ranksPerNode * this.#nodesPerDomain + 1e-9)));
  }

  nearNs(bytes: number, ranks: number, share: number): number {
    if (bytes === 0) return 0;
    const link = nearLink(this.#device);
    const sharers = this.#nearIsShared ? Math.max(1, ranks / this.#roots) : 1;
    return (bytes * sharers * nsPerSecond) / (link.bytesPerSecond * share);
  }

  farNs(bytes: number, group: RankGroup): number {
    return (
      this.#device.efficiency.collectiveLatencyNsScaleOut +
      (bytes * nsPerSecond) / (this.#farLink(group).bytesPerSecond * this.#farLink(group).efficiency)
    );
  }

  #farLink(group: RankGroup): Link {
    return (
      this.#device.scaleOut ??
      missing(`a scale-out link for ${group.ranks} ranks, ${group.ranksPerNode} in a node`, this.#device)
    );
  }
}
