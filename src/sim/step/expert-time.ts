import type { CostModel } from "../../hardware/cost.ts";
import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";

/** Times the routed experts of one layer call in a step: those on the device and those behind a cache alike. */
export class ExpertTime {
  /** Served over isolated kernel time in the step. */
  blendedKernelFactor = 1;
  private readonly cost: CostModel;
  private readonly ranks: number;
  private op: GroupedGemmOp | null = null;
  private rankExperts = 0;
  private presentedPairs = 0;
  private halves = false;

  constructor(cost: CostModel, ranks: number) {
    this.cost = cost;
    this.ranks = ranks;
  }

  /**
   * The call to time. `presentedPairs` pass the kernel of every rank, where all ranks are given all tokens; `halves` says
   * that the step runs as two half batches.
   */
  begin(program: FeedForwardProgram & { kind: "moe" }, presentedPairs: number, halves: boolean): void {
    this.op = program.experts;
    this.rankExperts = program.moe.experts / this.ranks;
    this.presentedPairs = presentedPairs;
    this.halves = halves;
  }

  /** Experts that are computed by one kernel, ns. */
  togetherNs(pairs: number, distinct: number): number {
    return this.ns(pairs, distinct, this.presentedPairs);
  }

  /** One expert by a kernel of its own, which is given its tokens alone, ns. */
  aloneNs(pairs: number): number {
    return this.ns(pairs, 1, 0);
  }

  private ns(pairs: number, distinct: number, presentedPairs: number): number {
    const op = this.op!;
    op.pairs = pairs;
    op.distinctExperts = distinct;
    op.presentedPairs = presentedPairs;
    if (this.halves) halve(op, this.rankExperts);
    return this.cost.opNs(op) * this.blendedKernelFactor * (this.halves ? 2 : 1);
  }
}

/** The work of half the tokens: as many distinct experts as leave the whole batch's after two independent halves. */
function halve(op: GroupedGemmOp, experts: number): void {
  op.pairs /= 2;
  op.distinctExperts = experts * (1 - Math.sqrt(1 - Math.min(1, op.distinctExperts / experts)));
}
