import type { CacheContext, CachePolicy, CallLog, ExpertCache } from "./expert-cache.ts";

/** Whether slots are a quota of each layer or shared by all layers. */
export type CacheScope = "layer" | "global";

/** Experts of a model as dense keys: expert e of layer l is `l * expertsPerLayer + e`. A call stays in one layer. */
export interface CacheShape {
  readonly layers: number;
  readonly expertsPerLayer: number;
  /** Slots: per layer with scope `layer`, in all with scope `global`. */
  readonly slots: number;
}

export interface ScopedCacheInput extends CacheShape {
  /**
   * [layers x experts] uses, for policies that need `popularity`; others ignore them. null where nothing was counted.
   */
  readonly popularity: Float64Array | null;
  readonly future: CallLog | null;
}

/** A cache over all layers of a model under one policy, with shared slots or a quota per layer. */
export function createScopedCache(policy: CachePolicy, scope: CacheScope, input: ScopedCacheInput): ExpertCache {
  const { layers, expertsPerLayer, slots, popularity, future } = input;
  if (scope === "global") {
    return policy.create({ objects: layers * expertsPerLayer, capacity: slots, popularity, future });
  }
  const needsFuture = policy.needs.includes("future") && future !== null;
  const futures = needsFuture ? splitByLayer(future, layers, expertsPerLayer) : [];
  const caches: ExpertCache[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const base = layer * expertsPerLayer;
    const context: CacheContext = {
      objects: expertsPerLayer,
      base,
      capacity: slots,
      popularity: popularity?.subarray(base, base + expertsPerLayer) ?? null,
      future: futures[layer] ?? null,
    };
    caches.push(policy.create(context));
  }
  return new LayerCaches(caches, expertsPerLayer, slots);
}

/** One cache per layer behind the interface of one. */
class LayerCaches implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #caches: readonly ExpertCache[];
  readonly #expertsPerLayer: number;

  constructor(caches: readonly ExpertCache[], expertsPerLayer: number, slots: number) {
    this.capacity = caches.length * slots;
    this.#caches = caches;
    this.#expertsPerLayer = expertsPerLayer;
    for (const cache of caches) this.resident += cache.resident;
  }

  contains(key: number): boolean {
    return this.#caches[Math.floor(key / this.#expertsPerLayer)]?.contains(key) ?? false;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    if (from === to) return 0;
    const cache = this.#caches[(keys[from]! / this.#expertsPerLayer) | 0]!;
    const before = cache.resident;
    const hits = cache.call(keys, from, to, hit);
    this.resident += cache.resident - before;
    return hits;
  }
}

/** The calls of each layer, in order, with their keys unchanged. Empty calls belong to no layer. */
function splitByLayer(log: CallLog, layers: number, expertsPerLayer: number): CallLog[] {
  const accesses = new Uint32Array(layers);
  const calls = new Uint32Array(layers);
  const layerOf = (call: number): number => Math.floor(log.keys[log.starts[call]!]! / expertsPerLayer);
  const sizeOf = (call: number): number => log.starts[call + 1]! - log.starts[call]!;
  for (let call = 0; call < log.calls; call++) {
    if (sizeOf(call) === 0) continue;
    accesses[layerOf(call)]! += sizeOf(call);
    calls[layerOf(call)]! += 1;
  }
  const logs = Array.from({ length: layers }, (_, layer) => ({
    keys: new Uint32Array(accesses[layer]!),
    starts: new Uint32Array(calls[layer]! + 1),
    calls: 0,
  }));
  for (let call = 0; call < log.calls; call++) {
    if (sizeOf(call) === 0) continue;
    const target = logs[layerOf(call)]!;
    const at = target.starts[target.calls]!;
    target.keys.set(log.keys.subarray(log.starts[call]!, log.starts[call + 1]!), at);
    target.starts[++target.calls] = at + sizeOf(call);
  }
  return logs;
}
