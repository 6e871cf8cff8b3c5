import type { PoolConfig } from "../../sim/config.ts";
import { moeShape } from "../../sim/mapping.ts";
import type { MemoryMap } from "../../sim/memory/memory.ts";
import { withDevice } from "./device-knobs.ts";
import { type Knob, withPools } from "./knob.ts";

/** Bytes of the items of a device whose names begin so. */
export const bytesOn = ({ tiers }: MemoryMap, name: string): number =>
  (tiers[0]?.items ?? []).reduce((sum, item) => sum + (item.name.startsWith(name) ? item.bytes : 0), 0);

/** The pool on devices with so many bytes more for what the engine may use of them. */
export function withBytes(pool: PoolConfig, bytes: number): Partial<PoolConfig> {
  const { device } = pool.node;
  const memoryBytes = Math.ceil(device.memoryBytes + bytes / pool.scheduler.memoryUtilisation);
  return withDevice(pool, { ...device, memoryBytes });
}

/** Memory for KV caches, weights and all else staying as they are. */
export const kvMemory: Knob = {
  label: "memory for KV caches",
  scaled: ({ config, memory }, factor) => {
    if (config.modelCache !== undefined) return "models in turn have a stated part of the memory";
    return withPools(
      config,
      (pool, i) => {
        const kv = bytesOn(memory[i]!, "KV cache");
        return kv === 0 || pool.scheduler.reserved !== undefined ? null : withBytes(pool, (factor - 1) * kv);
      },
      "the engine sets its KV caches aside at start",
    );
  },
};

/** Slots of the expert caches, in memory beside that of the KV caches. */
export const expertSlots: Knob = {
  label: "expert cache slots",
  scaled: ({ config, memory }, factor) =>
    withPools(
      config,
      (pool, i) => {
        const { offload, mapping, model } = pool;
        const moe = moeShape(model);
        if (offload === null || moe === null || offload.parts !== undefined || offload.slotsPerLayer !== undefined)
          return null;
        const layers = model.layers.filter(({ feedForward }) => feedForward.kind === "moe").length;
        const most = Math.ceil(moe.experts / mapping.ep) * (offload.scope === "layer" ? 1 : layers);
        const slots = Math.max(1, Math.min(most, Math.round(offload.slots * factor)));
        if (slots === offload.slots) return null;
        const each = bytesOn(memory[i]!, "expert cache") / offload.slots;
        return { ...withBytes(pool, (slots - offload.slots) * each), offload: { ...offload, slots } };
      },
      "no expert cache whose slots could be more or fewer",
    ),
};
