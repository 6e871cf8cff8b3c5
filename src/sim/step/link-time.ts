import type { CostModel } from "../../hardware/cost.ts";
import type { CollectiveOp, ExchangeOp } from "../../hardware/op.ts";

const kinds = { allReduce: 0, allGather: 1, reduceScatter: 2, allToAll: 3 } as const satisfies Record<
  CollectiveOp["kind"],
  number
>;
/** So few bytes that only latencies count. */
const emptyBytes = 64;
const slots = 16;
const fields = 4;

/** Times transfers between the devices of a replica, and sums them per device. */
export class LinkTime {
  /** Busy time and bytes per device of the scale-up link, over the run. */
  busyNs = 0;
  bytes = 0;
  private readonly cost: CostModel;
  /** Served over isolated time of collectives. */
  private readonly factor: number;
  private readonly collective: CollectiveOp;
  /** [kinds][slots] collectives timed last: bytes, ranks, stride, time. */
  private readonly recent = new Float64Array(Object.keys(kinds).length * slots * fields).fill(NaN);

  constructor(cost: CostModel, factor: number) {
    this.cost = cost;
    this.factor = factor;
    this.collective = { kind: "allReduce", bytes: 0, ranks: 1, ranksPerNode: cost.node.devicesPerNode };
  }

  /**
   * `share` is how often the transfer is booked: the part of the devices that take part, where the others do the same at
   * the same time, or nothing; 2 for one of two equal half batches; 0 for none. `stride`: the ranks are every `stride`-th device.
   */
  collectiveNs(kind: CollectiveOp["kind"], bytes: number, ranks: number, share = 1, stride = 1): number {
    const ns = this.isolatedNs(kind, bytes, ranks, stride) * this.factor;
    if (ns > 0) this.book(ns * share, bytes * share);
    return ns;
  }

  /**
   * What of a transfer between `ranks` devices in `ns` takes their links, ns: all but the time of an all-reduce of next
   * to nothing.
   */
  takenNs(ns: number, ranks: number, stride = 1): number {
    return Math.max(0, ns - this.isolatedNs("allReduce", emptyBytes, ranks, stride) * this.factor);
  }

  /** All layers of a step ask for the same few. */
  private isolatedNs(kind: CollectiveOp["kind"], bytes: number, ranks: number, stride: number): number {
    const { recent } = this;
    const at = (kinds[kind] * slots + ((bytes / 64) & (slots - 1))) * fields;
    if (recent[at] !== bytes || recent[at + 1] !== ranks || recent[at + 2] !== stride) {
      const op = this.collective;
      op.kind = kind;
      op.bytes = bytes;
      op.ranks = ranks;
      op.ranksPerNode = this.cost.node.devicesPerNode / stride;
      recent[at] = bytes;
      recent[at + 1] = ranks;
      recent[at + 2] = stride;
      recent[at + 3] = this.cost.opNs(op);
    }
    return recent[at + 3]!;
  }

  /** An exchange by an expert-exchange library; the bytes booked are those of every pair. */
  exchangeNs(op: ExchangeOp, share: number): number {
    const ns = this.cost.opNs(op) * this.factor;
    this.book(ns * share, op.tokens * op.topK * op.hidden * op.bytesPerValue * share);
    return ns;
  }

  /** Books busy time and bytes. Time beside another transfer of the same devices counts once. */
  book(ns: number, bytes: number): void {
    this.busyNs += ns;
    this.bytes += bytes;
  }
}
