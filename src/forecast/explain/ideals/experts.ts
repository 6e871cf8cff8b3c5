import { fakeDispatch } from "../../../policy/dispatch/fake.ts";
import type { PoolConfig } from "../../../sim/config.ts";
import { moeShape } from "../../../sim/mapping.ts";
import { heldExperts, sliceBytesOf } from "../../../sim/memory/weight-items.ts";
import { stagePlans } from "../../../sim/step/stage-plan.ts";
import { withPools } from "../../knobs/knob.ts";
import { bytesOn, withBytes } from "../../knobs/memory-knobs.ts";
import type { Ideal } from "./ideal.ts";

/** Every expert rank computes as many pairs as any other. */
export const perfectBalance: Ideal = {
  label: "expert ranks are perfectly balanced",
  change: ({ config }) =>
    withPools(
      config,
      ({ mapping, routing, offload }) =>
        mapping.ep === 1 || routing.kind !== "replay" || offload !== null
          ? null
          : { dispatch: { policy: fakeDispatch, values: {}, loads: null } },
      "there is one expert rank, or the routing is not replayed",
    ),
};

/** Bytes of the experts of a pool on the device that holds most. */
function expertBytesOn(pool: PoolConfig): number {
  const { model, mapping } = pool;
  const bytes = sliceBytesOf(pool);
  const perRank = Math.ceil((moeShape(model)?.experts ?? 0) / mapping.ep);
  return Math.max(
    ...stagePlans(model, mapping.pp).map((plan) => heldExperts(pool, plan, perRank, (layer) => bytes[layer]!)),
  );
}

/** No expert is ever fetched or computed elsewhere; KV caches have the memory that they had. */
export const residentExperts: Ideal = {
  label: "all experts are in device memory",
  change: ({ config, memory }) =>
    withPools(
      config,
      (pool, i) => {
        if (pool.offload === null) return null;
        const freed = ["expert cache", "parts of experts", "expert transfer buffer"].reduce(
          (sum, name) => sum + bytesOn(memory[i]!, name),
          0,
        );
        return { ...withBytes(pool, expertBytesOn(pool) - freed), offload: null };
      },
      "they are already",
    ),
};
