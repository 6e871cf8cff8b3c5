import { RandomStream } from "../src/core/random.ts";
import { createScopedCache } from "../src/policy/cache/cache-scope.ts";
import { cachePolicies } from "../src/policy/cache/caches.ts";
import { replayLog } from "../src/policy/cache/call-log.ts";
import type { CallLog } from "../src/policy/cache/expert-cache.ts";
import { type BenchRow, medianOf } from "./bench.ts";

const tokens = 41_666;
export const layers = 60;
export const expertsPerLayer = 128;
export const topK = 8;
const zipfExponent = 0.8;
/** Chance that a choice repeats one of the previous token's experts in the layer. */
const reuse = 0.35;
/** A quarter of all experts, shared by all layers. */
const slots = 1920;
const rounds = 5;

/**
 * libCacheSim (aa0fc409, Release build) on a workload of the same description: least and most of six runs on another machine, in
 * millions of requests per second. The naive `Map` LRU converts them. It handles 64-bit ids, sizes and expiry.
 */
const libCacheSim: Readonly<Record<string, readonly [least: number, most: number]>> = {
  lru: [17.5, 18.8],
  fifo: [19.4, 20.6],
  clock: [15.9, 17.3],
  sieve: [17.3, 19.8],
  "s3-fifo": [5.8, 7.2],
  lfu: [7.3, 8.4],
  belady: [7.3, 9.7],
};
const naiveBesideLibCacheSim = 6.0;

/** Policies that rank every resident whenever one has to leave: made for runs, not for replays of this length. */
const ranking: ReadonlySet<string> = new Set([
  "least-stale",
  "layer-distance",
  "moe-infinity",
  "finemoe",
  "hobbit",
  "moe-apex",
  "hybrimoe",
  "plec",
  "sch",
]);

/**
 * Replays 20.0 M accesses (one decode stream, 60 layers, top-8 of 128) through every cache policy on one thread, and
 * through a textbook `Map` LRU of single accesses for scale. Building a cache, for belady the index of next uses, is
 * not counted.
 */
export function bench(): Promise<BenchRow[]> {
  const log = decodeLog();
  const uses = new Float64Array(layers * expertsPerLayer);
  for (const key of log.keys) uses[key]! += 1;
  const perSecond = (seconds: number) => log.keys.length / seconds / 1e6;
  const naive = perSecond(medianOf(rounds, () => replayNaively(log)));
  const rows: BenchRow[] = [{ name: "cache replay, naive Map LRU", value: naive, unit: "M accesses/s" }];
  for (const [name, policy] of Object.entries(cachePolicies)) {
    if (ranking.has(name)) continue;
    const input = { layers, expertsPerLayer, slots, popularity: uses, future: log };
    const caches = Array.from({ length: rounds + 1 }, () => createScopedCache(policy, "global", input));
    let missRatio = 0;
    const seconds = medianOf(rounds, () => {
      const cache = caches.pop();
      if (cache === undefined) return;
      const { accesses, misses } = replayLog(log, cache);
      missRatio = misses / accesses;
    });
    const ratio = perSecond(seconds) / naive;
    rows.push({
      name: `cache replay, ${name}`,
      value: perSecond(seconds),
      unit: "M accesses/s",
      ratio,
      ratioTo: `naive Map LRU${timesLibCacheSim(name, ratio)}`,
    });
    rows.push({ name: `cache replay, ${name}, miss ratio`, value: missRatio, unit: "" });
  }
  return Promise.resolve(rows);
}

/** How many times its rate we reach, where it is known. */
function timesLibCacheSim(policy: string, timesNaive: number): string {
  const rates = libCacheSim[policy];
  if (rates === undefined) return "";
  const [most, least] = rates.map((rate) => ((timesNaive * naiveBesideLibCacheSim) / rate).toPrecision(2));
  return `, ${least} to ${most} x libCacheSim aa0fc409`;
}

export function decodeLog(): CallLog {
  const random = new RandomStream(1, "bench/cache-replay");
  const popularity = zipfDraws(random);
  const ranks = Array.from({ length: layers }, () => shuffled(random));
  const keys = new Uint32Array(tokens * layers * topK);
  const starts = new Uint32Array(tokens * layers + 1);
  const previous = new Uint32Array(layers * topK);
  const chosenIn = new Uint32Array(expertsPerLayer);
  let call = 0;
  for (let token = 0; token < tokens; token++)
    for (let layer = 0; layer < layers; layer++) {
      const start = call * topK;
      call++;
      for (let k = 0; k < topK; k++) {
        let expert: number;
        do {
          const repeats = token > 0 && random.uniform() < reuse;
          expert = repeats ? previous[layer * topK + random.below(topK)]! : ranks[layer]![popularity()]!;
        } while (chosenIn[expert] === call);
        chosenIn[expert] = call;
        keys[start + k] = layer * expertsPerLayer + expert;
      }
      for (let k = 0; k < topK; k++) previous[layer * topK + k] = keys[start + k]! - layer * expertsPerLayer;
      starts[call] = start + topK;
    }
  return { keys, starts, calls: call };
}

/** Ranks 0, 1, ... drawn with probability proportional to 1 / (rank + 1)^exponent. */
function zipfDraws(random: RandomStream): () => number {
  const cumulative = new Float64Array(expertsPerLayer);
  let sum = 0;
  for (let rank = 0; rank < expertsPerLayer; rank++) {
    sum += (rank + 1) ** -zipfExponent;
    cumulative[rank] = sum;
  }
  return () => {
    const at = random.uniform() * sum;
    let low = 0;
    let high = expertsPerLayer - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function shuffled(random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: expertsPerLayer }, (_, expert) => expert);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}

/** LRU as the insertion order of a `Map`, one access at a time. */
export function replayNaively(log: CallLog): void {
  const residents = new Map<number, true>();
  for (const key of log.keys) {
    if (!residents.delete(key) && residents.size >= slots) {
      for (const oldest of residents.keys()) {
        residents.delete(oldest);
        break;
      }
    }
    residents.set(key, true);
  }
}
