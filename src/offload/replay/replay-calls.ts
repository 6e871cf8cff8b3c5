import { type CacheScope, createScopedCache } from "../../policy/cache/cache-scope.ts";
import type { CachePolicy, ExpertCache } from "../../policy/cache/expert-cache.ts";
import type { RoutedCalls } from "./routed-calls.ts";

/** How a cache is set up over a trace. */
export interface ReplaySetup {
  readonly scope: CacheScope;
  /** Slots of each layer; a global cache has as many in all as the layers would have. */
  readonly slots: number;
  /** [layers x experts] uses that a policy may be fitted on; null where nothing was counted. */
  readonly popularity: Float64Array | null;
}

/** An empty cache (loaded, where the policy loads it before the run) over the experts of a trace. */
export function cacheFor(policy: CachePolicy, calls: RoutedCalls, setup: ReplaySetup): ExpertCache {
  const { layers, experts } = calls;
  const slots = setup.scope === "layer" ? setup.slots : setup.slots * layers;
  const future = policy.needs.includes("future") ? calls : null;
  return createScopedCache(policy, setup.scope, {
    layers,
    expertsPerLayer: experts,
    slots,
    popularity: setup.popularity,
    future,
  });
}

/** What a replay counts. */
export interface ReplayHits {
  /** Distinct experts of calls, and those among them that were resident. */
  readonly accesses: number;
  readonly hits: number;
  /** Choices of tokens, and those of an expert that was resident. */
  readonly choices: number;
  readonly choiceHits: number;
}

/** Serves every call in order; the cache is told when a sequence begins. */
export function replayCalls(calls: RoutedCalls, cache: ExpertCache): ReplayHits {
  const { keys, starts, tokens, weights, sequenceCalls } = calls;
  const hit = new Uint8Array(calls.callMax);
  const sums = weights === null ? undefined : new Float64Array(calls.callMax);
  let sequence = 0;
  let hits = 0;
  let choiceHits = 0;
  for (let call = 0; call < calls.calls; call++) {
    for (; sequenceCalls[sequence] === call; sequence++) cache.requestStarts?.();
    const [from, to] = [starts[call]!, starts[call + 1]!];
    if (sums !== undefined) for (let i = from; i < to; i++) sums[i - from] = weights![i]!;
    hits += cache.call(keys, from, to, hit, sums);
    for (let i = from; i < to; i++) choiceHits += hit[i - from]! * tokens[i]!;
  }
  return { accesses: keys.length, hits, choices: calls.choices, choiceHits };
}
