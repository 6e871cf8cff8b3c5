import type { RebalanceFigures } from "../metrics/figures.ts";
import type { RunResult } from "../sim/result.ts";

/** What the pools whose experts are placed anew moved, and what that took of their step time. */
export function rebalanceFigures({ pools }: RunResult): RebalanceFigures[] {
  return pools.flatMap(({ name, rebalance, time }): RebalanceFigures[] => {
    if (rebalance === undefined) return [];
    const { stallNs, ...moved } = rebalance;
    const stepNs = Object.values(time).reduce((sum, ns) => sum + ns, 0);
    const stallShare = stepNs > 0 ? stallNs / stepNs : 0;
    return [{ pool: name, ...moved, stepS: stepNs / 1e9, stallS: stallNs / 1e9, stallShare }];
  });
}
