import { component } from "./step-accounts.ts";

/** One clock per data-parallel rank, from the start of a stage. Tensor-parallel ranks inside a rank move together. */
export class RankClocks {
  /** [data-parallel ranks] ns. */
  readonly ns: Float64Array;
  /** Sum of the waits without prompts of the layers since the ranks last met. */
  attentionWaitNs = 0;
  private readonly components: Float64Array;

  constructor(dpRanks: number, components: Float64Array) {
    this.ns = new Float64Array(dpRanks);
    this.components = components;
  }

  reset(): void {
    this.ns.fill(0);
    this.attentionWaitNs = 0;
  }

  /** All ranks do the same for so long. */
  add(ns: number): void {
    for (let g = 0; g < this.ns.length; g++) this.ns[g]! += ns;
  }

  /**
   * All ranks wait for the slowest; afterwards every clock shows the same. In steps with prompts, attention is charged
   * the wait that there would be without them, and the prompts the rest.
   */
  meet(prompts: boolean): number {
    const { ns } = this;
    let max = 0;
    let sum = 0;
    for (let g = 0; g < ns.length; g++) {
      sum += ns[g]!;
      if (ns[g]! > max) max = ns[g]!;
    }
    const wait = max - sum / ns.length;
    const attention = prompts ? Math.min(wait, this.attentionWaitNs) : wait;
    this.attentionWaitNs = 0;
    this.components[component.attentionWait]! += attention;
    this.components[component.promptWait]! += wait - attention;
    ns.fill(max);
    return max;
  }
}
