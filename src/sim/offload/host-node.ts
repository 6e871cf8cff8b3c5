import { Resource } from "../../core/resource.ts";
import type { Node } from "../../hardware/device.ts";

/** What lies behind the devices of one node. All of them use it in turn, whichever replica they belong to. */
export class HostNode {
  /** [memory tiers and disks of the node] */
  readonly tiers: readonly Resource[];
  /** Links to the host that several devices have in common; none where each device has its own. */
  readonly uplinks: readonly Resource[];
  /** As many: their other direction, to the host. */
  readonly uplinksBack: readonly Resource[];
  /** The device's own memory, where it is the host's too, as far as pages of files are copied in it. */
  readonly unified = new Resource();
  /** The processors of the host, which compute experts together, one after the other. */
  readonly processors = new Resource();
  /** Memories of the sockets, together the first memory tier; none where there is one socket. */
  readonly memories: readonly Resource[];
  /** [sockets that are read][sockets of the devices] links between them, each direction of its own. */
  readonly socketLinks: readonly (readonly Resource[])[];

  constructor({
    tiers,
    devicesPerNode,
    hostLinkDevices = 1,
    sockets,
  }: Pick<Node, "tiers" | "devicesPerNode" | "hostLinkDevices" | "sockets">) {
    const several = (count: number) => Array.from({ length: count }, () => new Resource());
    this.tiers = several(tiers.length);
    this.uplinks = several(hostLinkDevices === 1 ? 0 : Math.ceil(devicesPerNode / hostLinkDevices));
    this.uplinksBack = several(this.uplinks.length);
    this.memories = several(sockets?.count ?? 0);
    this.socketLinks = this.memories.map(() => several(this.memories.length));
  }
}
