import { Calendar } from "../../core/calendar.ts";

/** Memory and disks of one node. All devices of the node read from them in turn, whichever replica they belong to. */
export class HostNode {
  readonly memory = new Calendar();
  readonly disk = new Calendar();
  /** Bytes read from host memory, by all devices. */
  memoryBytes = 0;
  diskBytes = 0;

  /** Drops what is over by `nowNs`: nothing will be asked for before that. */
  forget(nowNs: number): void {
    this.memory.forget(nowNs);
    this.disk.forget(nowNs);
  }
}
