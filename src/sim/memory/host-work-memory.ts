import { InfeasibleError } from "../../core/errors.ts";
import { oneLine } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { expertBytes } from "../../models/bytes.ts";
import type { PoolConfig } from "../config.ts";
import { moeShape } from "../mapping.ts";
import { hostTier } from "../offload/offload-tiers.ts";
import type { AttentionProgram } from "../step/attention-parts.ts";
import type { StagePlan } from "../step/stage-plan.ts";
import { placeCaches, reservedBytes } from "./kv-places.ts";
import type { MemoryItem, TierMap } from "./memory.ts";
import { headBytes, layerItems, layersOf } from "./weight-items.ts";

/** Host memory that a pool's experts leave, bytes. */
function hostRoom(config: PoolConfig, plans: readonly StagePlan[]): number {
  const moe = moeShape(config.model);
  const count = plans.reduce((sum, { expertLayers }) => sum + expertLayers, 0) * (moe?.experts ?? 0);
  const taken = moe === null ? 0 : count * Math.ceil(expertBytes(moe, config));
  const { hostBytes = 0 } = config.offload ?? {};
  return (hostTier(config.node)?.bytes ?? 0) - Math.min(hostBytes, taken);
}

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

/** Caches of the layers of a stage that are on the devices, or in host memory. */
export function cachesOf(config: PoolConfig, attention: readonly AttentionProgram[], plan: StagePlan, onHost: boolean) {
  const layers =
    config.host?.allCaches === true
      ? Array.from({ length: onHost ? plan.layers : 0 }, (_, i) => i)
      : layersOf(plan, config, onHost);
  return layers.flatMap((i) => attention[plan.attentionClass[i]!]!.caches);
}

/** What host memory holds beside experts, and the caches there; null where it holds nothing else. */
export function hostMemory(config: PoolConfig, attention: readonly AttentionProgram[], plans: readonly StagePlan[]) {
  const { host } = config;
  if (host === undefined) return null;
  const weights = plans.map((plan) => layerItems(config, attention, plan, layersOf(plan, config, true)));
  const bytes = weights.flat().reduce((sum, item) => sum + item.bytes, host.head ? headBytes(config) : 0);
  const caches = placeCaches(
    plans.flatMap((plan) => cachesOf(config, attention, plan, true)),
    config.engine.caches,
  );
  const items = [
    {
      name: `weights of ${host.layers} ${host.layers === 1 ? "layer" : "layers"}${host.head ? " and the head" : ""}`,
      bytes,
    },
    { name: "window and state caches", bytes: reservedBytes(caches.reserved, config) },
  ].filter((item) => item.bytes > 0);
  const roomBytes = hostRoom(config, plans);
  return { items, caches, roomBytes, freeBytes: roomBytes - items.reduce((sum, item) => sum + item.bytes, 0) };
}

/** Host memory, the first of the tiers, with what it holds beside experts. */
export function withHost([first, ...more]: readonly TierMap[], items: readonly MemoryItem[]): TierMap[] {
  if (first === undefined) return [];
  const held = items.filter(({ bytes }) => bytes > 0);
  const usedBytes = held.reduce((sum, { bytes }) => sum + bytes, first.usedBytes);
  return [{ ...first, usedBytes, items: [...first.items, ...held] }, ...more];
}
