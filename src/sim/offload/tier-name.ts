import type { MemoryTier } from "../../hardware/device.ts";
import { tierKinds } from "../../hardware/tier-kinds.ts";

/** A tier by its kind; by its id too where the node has several of the kind. */
export function tierName(tiers: readonly MemoryTier[], tier: number): string {
  const { kind, id } = tiers[tier]!;
  const { name } = tierKinds[kind];
  return tiers.filter((other) => other.kind === kind).length > 1 ? `${name} ${id}` : name;
}
