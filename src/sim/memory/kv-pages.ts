import type { CacheGroup } from "./holding.ts";
import type { LayerCache } from "./layer-cache.ts";

/** Caches in blocks of one size: any cache can use any block. */
export interface Pages {
  readonly groups: readonly CacheGroup[];
  /** Tokens of full caches in a block; of windows where there are no full caches. */
  readonly blockTokens: number;
  /** [stages] bytes of a block. */
  readonly blockBytes: readonly number[];
}

/** Caches of one kind and size. */
interface Type {
  readonly cache: LayerCache;
  /** [layers of the type] its pipeline stage. */
  readonly stages: number[];
}

/**
 * One pool for caches of all kinds, as vLLM cuts it (docs/design/hybrid_kv_cache_manager.md and
 * vllm/v1/core/kv_cache_utils.py). If all layers need the same number of blocks, they share one table: a block holds
 * `blockTokens` tokens of all of them. Otherwise a block is a page of every layer of a group. All pages are as large as
 * the largest. Layers with smaller entries put more tokens on theirs. A state larger than a page enlarges all pages.
 */
export function sharedPages(stages: readonly (readonly LayerCache[])[], blockTokens: number): Pages {
  const types = typesOf(stages);
  const [first] = types;
  if (first === undefined || types.every(({ cache }) => sameTable(cache, first.cache)))
    return {
      groups: [groupOf(first?.cache ?? { kind: "full", bytesPerToken: 0 }, blockTokens, 1)],
      blockTokens,
      blockBytes: stages.map((caches) =>
        Math.ceil(caches.reduce((sum, cache) => sum + bytesOf(cache, blockTokens), 0)),
      ),
    };

  const entries = types.map(({ cache }) => (cache.kind === "state" ? 0 : bytesOf(cache, blockTokens)));
  const states = types.map(({ cache }) => (cache.kind === "state" ? cache.bytes : 0));
  const entry = Math.max(...entries);
  const state = Math.max(...states);
  const page = entry === 0 ? state : entry * Math.max(1, Math.ceil(state / entry));
  const counts = types.map((type) => type.stages.length);
  const perGroup = layersPerGroup(counts);
  const copies = counts.map((count) => Math.ceil(count / perGroup));
  const tokens = entries.map((bytes) => (bytes === 0 ? 0 : blockTokens * Math.floor(page / bytes)));
  const firstFull = Math.max(
    types.findIndex(({ cache }) => cache.kind === "full"),
    0,
  );
  return {
    groups: types.map(({ cache }, t) => groupOf(cache, tokens[t]!, copies[t]!)),
    blockTokens: tokens[firstFull]!,
    blockBytes: stages.map((_, stage) => Math.ceil(page * layersOfLargestGroup(types, copies, stage))),
  };
}

/**
 * Layers of a group: as many as the rarest type has; the last group of the other types is padded. If the most frequent
 * type has less than half as many again, its number is taken instead. The rule is made for patterns of n to one. Where
 * it would leave two fifths of a type's pages empty, as with the three kinds of caches of DeepSeek-V4, a group is one
 * layer.
 */
function layersPerGroup(counts: readonly number[]): number {
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const layers = most < 1.5 * fewest ? most : fewest;
  const filled = (count: number) => count / (layers * Math.ceil(count / layers));
  return counts.every((count) => filled(count) > 0.6) ? layers : 1;
}

function typesOf(stages: readonly (readonly LayerCache[])[]): Type[] {
  const types = new Map<string, Type>();
  for (const [stage, caches] of stages.entries())
    for (const cache of caches) {
      const key = JSON.stringify(cache);
      const known = types.get(key);
      if (known === undefined) types.set(key, { cache, stages: [stage] });
      else known.stages.push(stage);
    }
  return [...types.values()];
}

/** Whether two caches need a block for the same tokens. */
function sameTable(a: LayerCache, b: LayerCache): boolean {
  if (a.kind === "window" && b.kind === "window") return a.windowTokens === b.windowTokens;
  return a.kind === b.kind;
}

/** Bytes of `tokens` tokens, or of a state. */
function bytesOf(cache: LayerCache, tokens: number): number {
  return cache.kind === "state" ? cache.bytes : cache.bytesPerToken * tokens;
}

function groupOf(cache: LayerCache, blockTokens: number, copies: number): CacheGroup {
  switch (cache.kind) {
    case "full":
      return { kind: "full", blockTokens, copies };
    case "window":
      return { kind: "window", blockTokens, copies, windowTokens: cache.windowTokens };
    case "state":
      return { kind: "state", copies };
  }
}

/** Layers that the largest group has on a stage. The layers of a type are dealt to its groups in turn. */
function layersOfLargestGroup(types: readonly Type[], copies: readonly number[], stage: number): number {
  let largest = 0;
  for (const [t, { stages }] of types.entries()) {
    const layers = new Uint32Array(copies[t]!);
    for (const [layer, of] of stages.entries()) if (of === stage) layers[layer % copies[t]!]!++;
    largest = Math.max(largest, ...layers);
  }
  return largest;
}
