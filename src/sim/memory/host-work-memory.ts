import { InfeasibleError } from "../../core/errors.ts";
import { oneLine } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { expertBytes } from "../../models/bytes.ts";
import type { PoolConfig } from "../config.ts";
import { moeShape } from "../mapping.ts";
import { hostTier } from "../offload/offload-tiers.ts";
import type { StagePlan } from "../step/stage-plan.ts";
import type { MemoryItem, TierMap } from "./memory.ts";

/** Part of a stage: the layers of it that are the devices', or those that are the host's. */
export const layersOf = (plan: StagePlan, { host }: Pick<PoolConfig, "host">, onHost: boolean): number[] =>
  Array.from({ length: plan.layers }, (_, i) => i).filter((i) => plan.first + i < (host?.layers ?? 0) === onHost);

/** Host memory that a pool's experts leave, bytes; all of them have a home there. */
export function hostRoom(config: PoolConfig, plans: readonly StagePlan[]): number {
  const moe = moeShape(config.model);
  const count = plans.reduce((sum, { expertLayers }) => sum + expertLayers, 0) * (moe?.experts ?? 0);
  const taken = moe === null ? 0 : count * Math.ceil(expertBytes(moe, config));
  const { hostBytes = 0 } = config.offload ?? {};
  return Math.min(hostTier(config.node)?.bytes ?? 0, hostBytes) - taken;
}

/** Host memory with what it holds beside experts. */
export const withHostWork = (map: TierMap, items: readonly MemoryItem[]): TierMap => ({
  ...map,
  usedBytes: items.reduce((sum, { bytes }) => sum + bytes, map.usedBytes),
  items: [...map.items, ...items],
});

/** Layers and caches that host memory has no room for. */
export function hostDoesNotFit(
  { model, node }: PoolConfig,
  items: readonly MemoryItem[],
  roomBytes: number,
): InfeasibleError {
  const sum = items.reduce((total, { bytes }) => total + bytes, 0);
  const width = Math.max(...items.map(({ name }) => name.length));
  const lines = items.map(({ name, bytes }) => `  ${name.padEnd(width)}  ${formatBytes(bytes)}`);
  return new InfeasibleError(
    `${oneLine(model.name)} does not fit into host memory: ${formatBytes(sum)} needed in ${hostTier(node)?.id ?? "none"}, ` +
      `${formatBytes(Math.max(0, roomBytes))} available beside the experts\n${lines.join("\n")}`,
  );
}
