import type { TierMap } from "../../sim/memory/memory.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";

/** What every tier of memory holds, those of several pools with their names: known before the first step. */
export function memoryTiers({ pools }: RunView): TierMap[] {
  return pools.flatMap(({ config: { name }, memory: { map } }) =>
    pools.length === 1 ? map.tiers : map.tiers.map((tier) => ({ ...tier, tier: `${name}: ${tier.tier}` })),
  );
}
