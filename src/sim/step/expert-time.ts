import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";
import type { OpTimer } from "./served-kernels.ts";

/** Times the routed experts of one layer call in a step, on the device or behind a cache. */
export class ExpertTime {
  private readonly cost: OpTimer;
  private readonly ranks: number;
  private op: GroupedGemmOp | null = null;
  private rankExperts = 0;
  private presentedPairs = 0;
  private halves = false;
  private sent: GroupedGemmOp["sent"];

  constructor(cost: OpTimer, ranks: number) {
    this.cost = cost;
    this.ranks = ranks;
  }

  /**
   * Sets the call to time. `presentedPairs` pass the kernel of every rank, where all ranks are given all tokens.
   * `halves`: the step runs as two half batches. `sent`: the layout of tokens that were sent to kernels made for it.
   */
  begin(
    program: FeedForwardProgram & { kind: "moe" },
    presentedPairs: number,
    halves: boolean,
    sent: GroupedGemmOp["sent"],
  ): void {
    this.op = program.experts;
    this.rankExperts = program.moe.experts / this.ranks;
    this.presentedPairs = presentedPairs;
    this.halves = halves;
    this.sent = sent;
  }

  /** Time of experts that one kernel computes, ns. */
  togetherNs(pairs: number, distinct: number): number {
    return this.ns(pairs, distinct, this.presentedPairs, this.sent);
  }

  /** Time of one expert by a kernel of its own, ns. The kernel is given its tokens alone. */
  aloneNs(pairs: number): number {
    return this.ns(pairs, 1, 0, undefined);
  }

  private ns(pairs: number, distinct: number, presentedPairs: number, sent: GroupedGemmOp["sent"]): number {
    const op = this.op!;
    op.pairs = pairs;
    op.distinctExperts = distinct;
    op.presentedPairs = presentedPairs;
    op.sent = sent;
    if (this.halves) halve(op, this.rankExperts);
    return this.cost.opNs(op) * (this.halves ? 2 : 1);
  }
}

/** The work of half the tokens. Two independent halves together touch as many distinct experts as the whole batch. */
function halve(op: GroupedGemmOp, experts: number): void {
  op.pairs /= 2;
  op.presentedPairs /= 2;
  op.distinctExperts = experts * (1 - Math.sqrt(1 - Math.min(1, op.distinctExperts / experts)));
}
