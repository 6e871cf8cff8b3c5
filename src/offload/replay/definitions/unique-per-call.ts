import { cacheFor, replayCalls } from "../replay-calls.ts";
import type { RoutedCalls } from "../routed-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/**
 * The slots of a layer are filled when the model is loaded, with its last experts in order: mixtral-offloading leaves the first
 * ones out (`offload_per_layer` of src/build_model.py). All experts of a call are marked as used before any is evicted.
 */
export const uniquePerCall: HitDefinition = {
  name: "unique-per-call",
  counts: "each distinct expert of a layer call",
  state: "at the call; all of it is marked before any eviction",
  coldFill: "none: all slots are loaded beforehand",
  scope: "layer",
  source: "mixtral-offloading, arXiv 2312.17238 (dvmazur/mixtral-offloading at ce54518)",
  measure: ({ calls, policy, slots, popularity }) => {
    const { experts, layers } = calls;
    const loaded = Math.min(slots, experts);
    const cache = cacheFor(policy, loadedFirst(calls, loaded), { scope: "layer", slots, popularity });
    const hit = new Uint8Array(experts);
    for (let layer = 0; layer < layers; layer++) cache.call(loadOf(layer, experts, loaded), 0, loaded, hit);
    return replayCalls(calls, cache);
  },
};

const loadOf = (layer: number, experts: number, loaded: number): Uint32Array =>
  Uint32Array.from({ length: loaded }, (_, i) => (layer + 1) * experts - loaded + i);

/** The calls with a load of each layer before them, for policies that know what comes. */
function loadedFirst(calls: RoutedCalls, loaded: number): RoutedCalls {
  const { layers, experts } = calls;
  const before = layers * loaded;
  const keys = new Uint32Array(before + calls.keys.length);
  const starts = new Uint32Array(layers + calls.calls + 1);
  for (let layer = 0; layer < layers; layer++) {
    keys.set(loadOf(layer, experts, loaded), layer * loaded);
    starts[layer] = layer * loaded;
  }
  keys.set(calls.keys, before);
  for (let call = 0; call <= calls.calls; call++) starts[layers + call] = before + calls.starts[call]!;
  return { ...calls, keys, starts, calls: layers + calls.calls };
}
