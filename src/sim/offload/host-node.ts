import { Resource } from "../../core/resource.ts";

/** Memory and disks of one node. All devices of the node read from them in turn, whichever replica they belong to. */
export class HostNode {
  readonly memory = new Resource();
  readonly disk = new Resource();
}
