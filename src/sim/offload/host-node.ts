import { Resource } from "../../core/resource.ts";

/** What lies behind the devices of one node. All of them read from it in turn, whichever replica they belong to. */
export class HostNode {
  /** [memory tiers and disks of the node] */
  readonly tiers: readonly Resource[];

  constructor(tiers: number) {
    this.tiers = Array.from({ length: tiers }, () => new Resource());
  }
}
