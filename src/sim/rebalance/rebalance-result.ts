import { sum } from "../../core/statistics.ts";
import type { Pool } from "../pool.ts";
import type { RebalanceResult } from "../result.ts";
import { component } from "../step/step-accounts.ts";

/** What a pool whose experts are placed anew moved, over all its replicas, and what came of it. */
export function rebalanceResult({ config, experts, cost }: Pool): RebalanceResult {
  const { rebalances } = experts;
  const mean = (when: "before" | "after"): number | null => {
    const passes = sum(rebalances.map(({ balance }) => balance[when].passes));
    return passes === 0 ? null : sum(rebalances.map(({ balance }) => balance[when].balancedness)) / passes;
  };
  return {
    kind: config.rebalance!.name,
    rebalances: sum(rebalances.map((replica) => replica.rebalances)),
    skipped: sum(rebalances.map(({ skipped }) => skipped)),
    movedExperts: sum(rebalances.map(({ movedExperts }) => movedExperts)),
    movedBytes: sum(rebalances.map(({ movedBytes }) => movedBytes)),
    stallNs: cost.components[component.rebalance]!,
    balancednessBefore: mean("before"),
    balancednessAfter: mean("after"),
  };
}
