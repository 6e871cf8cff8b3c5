import { Calendar } from "../../core/calendar.ts";

/** Memory and disks of one node: all devices of the node read from them in turn, whichever replica they belong to. */
export class HostNode {
  readonly memory = new Calendar();
  readonly disk = new Calendar();
  /** Bytes read from host memory, by all devices. */
  memoryBytes = 0;
  diskBytes = 0;

  /** Nothing will be asked for before `nowNs`. */
  forget(nowNs: number): void {
    this.memory.forget(nowNs);
    this.disk.forget(nowNs);
  }
}
