import { Resource } from "../../core/resource.ts";
import type { Node } from "../../hardware/device.ts";

/** What lies behind the devices of one node. All of them use it in turn, whichever replica they belong to. */
export class HostNode {
  /** [memory tiers and disks of the node] */
  readonly tiers: readonly Resource[];
  /** Links to the host that several devices have in common; none where each device has its own. */
  readonly uplinks: readonly Resource[];

  constructor({
    tiers,
    devicesPerNode,
    hostLinkDevices = 1,
  }: Pick<Node, "tiers" | "devicesPerNode" | "hostLinkDevices">) {
    const several = (count: number) => Array.from({ length: count }, () => new Resource());
    this.tiers = several(tiers.length);
    this.uplinks = several(hostLinkDevices === 1 ? 0 : Math.ceil(devicesPerNode / hostLinkDevices));
  }
}
