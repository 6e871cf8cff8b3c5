import type { RankClocks } from "./rank-clocks.ts";
import type { StepAccounts } from "./step-accounts.ts";

/** Counts one layer for all that are like it: what it adds to every sum is added once more for each of the others. */
export class RepeatedLayers {
  private readonly accounts: StepAccounts;
  private readonly clocks: RankClocks;
  private readonly components: Float64Array;
  private readonly clockNs: Float64Array;
  private readonly rankBusyNs: Float64Array;
  private linkBusyNs = 0;
  private linkBytes = 0;
  private attentionWaitNs = 0;

  constructor(accounts: StepAccounts, clocks: RankClocks) {
    this.accounts = accounts;
    this.clocks = clocks;
    this.components = new Float64Array(accounts.components.length);
    this.clockNs = new Float64Array(clocks.ns.length);
    this.rankBusyNs = new Float64Array(accounts.rankBusyNs.length);
  }

  /** Remembers all sums. */
  begin(): void {
    const { accounts, clocks } = this;
    this.components.set(accounts.components);
    this.clockNs.set(clocks.ns);
    this.rankBusyNs.set(accounts.rankBusyNs);
    this.linkBusyNs = accounts.links.busyNs;
    this.linkBytes = accounts.links.bytes;
    this.attentionWaitNs = clocks.attentionWaitNs;
  }

  /** Adds what was added since then `times` times more. */
  end(times: number): void {
    const { accounts, clocks } = this;
    const { links } = accounts;
    addChange(accounts.components, this.components, times);
    addChange(clocks.ns, this.clockNs, times);
    addChange(accounts.rankBusyNs, this.rankBusyNs, times);
    links.busyNs += times * (links.busyNs - this.linkBusyNs);
    links.bytes += times * (links.bytes - this.linkBytes);
    clocks.attentionWaitNs += times * (clocks.attentionWaitNs - this.attentionWaitNs);
  }
}

/** values += times x (values - before). */
function addChange(values: Float64Array, before: Float64Array, times: number): void {
  for (let i = 0; i < values.length; i++) values[i]! += times * (values[i]! - before[i]!);
}
