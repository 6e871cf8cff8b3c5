import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, CallLog, ExpertCache } from "./expert-cache.ts";

/** Whether slots are a quota of each layer or shared by all layers. */
export type CacheScope = "layer" | "global";

/** Experts of a model as dense keys: expert e of layer l is `l * expertsPerLayer + e`. A call stays in one layer. */
export interface CacheShape {
  readonly layers: number;
  readonly expertsPerLayer: number;
  /** Slots: per layer with scope `layer`, in all with scope `global`. */
  readonly slots: number;
  /** [layers] slots of each layer, with scope `layer`; absent: `slots`. */
  readonly slotsPerLayer?: ArrayLike<number>;
}

export interface ScopedCacheInput extends CacheShape {
  /** Experts that a token chooses. Absent: 1. */
  readonly topK?: number;
  /** Seed of what a policy draws at random. Absent: 0. */
  readonly seed?: number;
  /**
   * [layers x experts] uses, for policies that need `popularity`; others ignore them. null where nothing was counted.
   */
  readonly popularity: Float64Array | null;
  readonly future: CallLog | null;
}

/** A cache over all layers of a model under one policy, with shared slots or a quota per layer. */
export function createScopedCache(policy: CachePolicy, scope: CacheScope, input: ScopedCacheInput): ExpertCache {
  const { layers, expertsPerLayer, slots, slotsPerLayer, popularity, future, topK = 1, seed = 0 } = input;
  const shape = { layers, expertsPerLayer, topK };
  if (scope === "global") {
    return policy.create({ ...shape, objects: layers * expertsPerLayer, capacity: slots, popularity, future, seed });
  }
  holds(!policy.needs.includes("layers"), "cache-policy-needs", () => `${policy.name} over the layers, one by one`);
  const needsFuture = policy.needs.includes("future") && future !== null;
  const futures = needsFuture ? splitByLayer(future, layers, expertsPerLayer) : [];
  const caches: ExpertCache[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const base = layer * expertsPerLayer;
    const context: CacheContext = {
      ...shape,
      seed: seed + layer,
      objects: expertsPerLayer,
      base,
      capacity: slotsPerLayer?.[layer] ?? slots,
      popularity: popularity?.subarray(base, base + expertsPerLayer) ?? null,
      future: futures[layer] ?? null,
    };
    caches.push(policy.create(context));
  }
  return new LayerCaches(caches, expertsPerLayer);
}

/** One cache per layer behind the interface of one. */
class LayerCaches implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #caches: readonly ExpertCache[];
  readonly #expertsPerLayer: number;

  constructor(caches: readonly ExpertCache[], expertsPerLayer: number) {
    this.capacity = caches.reduce((sum, { capacity }) => sum + capacity, 0);
    this.#caches = caches;
    this.#expertsPerLayer = expertsPerLayer;
    for (const cache of caches) this.resident += cache.resident;
  }

  contains(key: number): boolean {
    return this.#caches[Math.floor(key / this.#expertsPerLayer)]?.contains(key) ?? false;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number {
    if (from === to) return 0;
    const cache = this.#of(keys[from]!);
    const before = cache.resident;
    const hits = cache.call(keys, from, to, hit, weights);
    this.resident += cache.resident - before;
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const layer = (key / this.#expertsPerLayer) | 0;
    const cache = this.#caches[layer]!;
    const before = cache.resident;
    const base = layer * this.#expertsPerLayer;
    const entered = cache.insert(key, spared.subarray(base, base + this.#expertsPerLayer));
    this.resident += cache.resident - before;
    return entered;
  }

  drop(key: number): void {
    const cache = this.#of(key);
    const before = cache.resident;
    cache.drop(key);
    this.resident += cache.resident - before;
  }

  requestStarts(): void {
    for (const cache of this.#caches) cache.requestStarts?.();
  }

  /** Each cache is told of what is expected of all layers. */
  foresee(keys: Uint32Array, from: number, to: number): void {
    for (const cache of this.#caches) cache.foresee?.(keys, from, to);
  }

  #of(key: number): ExpertCache {
    return this.#caches[(key / this.#expertsPerLayer) | 0]!;
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
