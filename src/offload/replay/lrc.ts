import type { CachePolicy, CallLog } from "../../policy/cache/expert-cache.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** A cache that is updated one access at a time, as moe-lrc replays. */
export interface SequentialCache {
  contains(expert: number): boolean;
  /** Serves the access at this position of the log. */
  access(position: number): void;
}

/** Makes the cache of one layer over one sequence, whose tokens are the calls of the log. */
export type LrcPolicy = (tokens: CallLog, experts: number, slots: number, layer: number) => SequentialCache;

/**
 * Hits as the code of moe-lrc counts them (src/41_sch_calc.py of ljcleo/moe-lrc, arXiv 2505.16056), for one layer and one
 * sequence. An expert hits if it was resident before the token, or if it is one of the first experts ever asked for and the
 * cache has not met as many yet as it has slots. Then the cache is updated access by access, so that a token may evict what it has just
 * used. A hit rate of 1 with room for all experts is therefore certain; so is more than Belady's optimum at times.
 */
export function lrcHits(tokens: CallLog, experts: number, slots: number, policy: LrcPolicy, layer = 0): number {
  const { keys, starts, calls } = tokens;
  const cache = policy(tokens, experts, slots, layer);
  const met = new Uint8Array(experts);
  let metCount = 0;
  let hits = 0;
  for (let token = 0; token < calls; token++) {
    const [from, to] = [starts[token]!, starts[token + 1]!];
    for (let i = from; i < to; i++) {
      const expert = keys[i]!;
      const resident = cache.contains(expert);
      if (resident) hits += 1;
      if (met[expert] === 1) continue;
      if (!resident && metCount < slots) hits += 1;
      met[expert] = 1;
      metCount += 1;
    }
    for (let i = from; i < to; i++) cache.access(i);
  }
  return hits;
}

/** The same over all layers and sequences of a table, each with a cache of its own. */
export function lrcReplay(table: RoutingTable, slots: number, policy: LrcPolicy): { hits: number; accesses: number } {
  let hits = 0;
  let accesses = 0;
  for (let layer = 0; layer < table.layers; layer++)
    for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++) {
      const tokens = tokensOf(table, layer, sequence);
      hits += lrcHits(tokens, table.experts, slots, policy, layer);
      accesses += tokens.keys.length;
    }
  return { hits, accesses };
}

/** The choices of one layer in one sequence, a call per token. */
function tokensOf(
  { ids, layers, topK, experts, sequenceStarts }: RoutingTable,
  layer: number,
  sequence: number,
): CallLog {
  const [first, end] = [sequenceStarts[sequence]!, sequenceStarts[sequence + 1]!];
  const keys = new Uint32Array((end - first) * topK);
  const starts = new Uint32Array(end - first + 1);
  let at = 0;
  for (let row = first; row < end; row++) {
    const from = (row * layers + layer) * topK;
    for (let k = from; k < from + topK; k++) if (ids[k]! < experts) keys[at++] = ids[k]!;
    starts[row - first + 1] = at;
  }
  return { keys: keys.subarray(0, at), starts, calls: end - first };
}

/** Any cache policy, one access a call. `popularity` is [layers x experts], for policies that are fitted. */
export const oneByOne =
  (policy: CachePolicy, popularity: Float64Array | null = null): LrcPolicy =>
  (tokens, experts, slots, layer) => {
    const { keys } = tokens;
    const future = {
      keys,
      starts: Uint32Array.from({ length: keys.length + 1 }, (_, position) => position),
      calls: keys.length,
    };
    const ofLayer = popularity?.subarray(layer * experts, (layer + 1) * experts) ?? null;
    const cache = policy.create({ objects: experts, capacity: slots, popularity: ofLayer, future });
    const hit = new Uint8Array(1);
    return {
      contains: (expert) => cache.contains(expert),
      access: (position) => void cache.call(keys, position, position + 1, hit),
    };
  };

/** LFU of moe-lrc: uses are counted from the beginning, whether resident or not; ties to the least recently used. */
export const lrcLfu: LrcPolicy = (tokens, experts, slots) => {
  const uses = new Float64Array(experts);
  return rankedCache(tokens, experts, slots, uses, (expert) => {
    uses[expert]! += 1;
  });
};

/**
 * SCH of the revised paper: a cache that sees the choices of a segment of tokens from the present one on, and evicts the
 * expert with the fewest uses left in it; ties to the least recently used.
 */
export const lookAhead =
  (segment: number): LrcPolicy =>
  (tokens, experts, slots) => {
    const { keys, starts, calls } = tokens;
    const coming = new Float64Array(experts);
    let seen = 0;
    let token = 0;
    return rankedCache(
      tokens,
      experts,
      slots,
      coming,
      (expert, position) => {
        coming[expert]! -= 1;
        if (position + 1 === starts[token + 1]!) token += 1;
      },
      () => {
        for (; seen < starts[Math.min(calls, token + segment)]!; seen++) coming[keys[seen]!]! += 1;
      },
    );
  };

/** A cache whose victim has the lowest rank. */
function rankedCache(
  { keys }: CallLog,
  experts: number,
  slots: number,
  rank: Float64Array,
  used: (expert: number, position: number) => void,
  before: () => void = () => {},
): SequentialCache {
  const usedAt = new Int32Array(experts).fill(-1);
  const isResident = new Uint8Array(experts);
  const residents: number[] = [];
  const victim = (): number => {
    let worst = 0;
    for (let i = 1; i < residents.length; i++) {
      const [a, b] = [residents[i]!, residents[worst]!];
      if (rank[a]! < rank[b]! || (rank[a] === rank[b] && usedAt[a]! < usedAt[b]!)) worst = i;
    }
    return worst;
  };
  return {
    contains: (expert) => isResident[expert] === 1,
    access: (position) => {
      const expert = keys[position]!;
      before();
      if (isResident[expert] === 0 && slots > 0) {
        if (residents.length < slots) residents.push(expert);
        else {
          const place = victim();
          isResident[residents[place]!] = 0;
          residents[place] = expert;
        }
        isResident[expert] = 1;
      }
      used(expert, position);
      usedAt[expert] = position;
    },
  };
}
