import { z } from "zod";
import { nextStamp } from "./call-stamps.ts";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/**
 * Least frequently used; uses count while an object is resident, ties go to the least recently used. Residents hang in
 * circular lists, one per distinct frequency, ordered by recency. The lists are linked by ascending frequency. A
 * promotion and a victim each cost a constant number of steps.
 */
class LfuCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #objects: number;
  readonly #base: number;
  /**
   * Neighbours in a frequency list, least recent first: the next of node n at 2n, the one before at 2n + 1. Node
   * `objects + b` is the end mark of list b.
   */
  readonly #links: Uint16Array | Uint32Array;
  /** List of each resident object; 0 if it is not resident. */
  readonly #listOf: Uint16Array | Uint32Array;
  /** Call in which each object was last used. */
  readonly #usedIn: Uint16Array;
  /** Lists by ascending frequency; list 0 is the end mark of the chain. Unused lists are chained by `#above`. */
  readonly #frequency: Float64Array;
  readonly #above: Int32Array;
  readonly #below: Int32Array;
  #unused = 1;
  #call = 0;

  constructor(context: CacheContext) {
    const objects = context.objects;
    const lists = objects + 2;
    this.capacity = context.capacity;
    this.#objects = objects;
    this.#base = context.base ?? 0;
    this.#links = denseArray(2 * (objects + lists), objects + lists);
    this.#listOf = denseArray(objects, lists);
    this.#usedIn = new Uint16Array(objects);
    this.#frequency = new Float64Array(lists);
    this.#above = Int32Array.from({ length: lists }, (_, list) => list + 1);
    this.#below = new Int32Array(lists);
    this.#above[0] = 0;
  }

  contains(key: number): boolean {
    return (this.#listOf[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const objects = this.#objects;
    const listOf = this.#listOf;
    const usedIn = this.#usedIn;
    const links = this.#links;
    const frequency = this.#frequency;
    const above = this.#above;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    let hits = 0;
    let ones = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const list = listOf[id]!;
      let target: number;
      usedIn[id] = now;
      if (list === 0) {
        hit[(i - from) | 0] = 0;
        // Once it has a newcomer, the list of frequency 1 stays open throughout the call.
        if (ones === 0) ones = this.#openOnes();
        target = ones;
      } else {
        hit[(i - from) | 0] = 1;
        hits++;
        // A hit moves to the recent end of the list one frequency up.
        const raised = frequency[list]! + 1;
        target = above[list]!;
        const before = links[(id << 1) | 1]!;
        const after = links[id << 1]!;
        if (target === 0 || frequency[target] !== raised) {
          if (before === after) {
            frequency[list] = raised;
            continue;
          }
          target = this.#open(raised, list);
        }
        links[before << 1] = after;
        links[(after << 1) | 1] = before;
        if (before === after) this.#close(list);
      }
      const mark = (objects + target) | 0;
      const last = links[(mark << 1) | 1]!;
      links[last << 1] = id;
      links[(id << 1) | 1] = last;
      links[id << 1] = mark;
      links[(mark << 1) | 1] = id;
      listOf[id] = target;
    }
    const experts = to - from;
    this.resident += experts - hits;
    if (this.resident > this.capacity) this.#evict(this.resident - this.capacity, experts <= this.capacity ? now : -1);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity && !this.#evictUnspared(spared)) return false;
    const id = key - this.#base;
    const links = this.#links;
    const ones = this.#openOnes();
    const mark = this.#objects + ones;
    const last = links[(mark << 1) | 1]!;
    links[last << 1] = id;
    links[(id << 1) | 1] = last;
    links[id << 1] = mark;
    links[(mark << 1) | 1] = id;
    this.#listOf[id] = ones;
    this.#usedIn[id] = 0;
    this.resident++;
    return true;
  }

  drop(key: number): void {
    this.#takeOut(key - this.#base);
  }

  /** Evicts the first in order that is not spared; returns whether there is one. */
  #evictUnspared(spared: Uint8Array): boolean {
    for (let list = this.#above[0]!; list !== 0; list = this.#above[list]!) {
      const mark = this.#objects + list;
      for (let id = this.#links[mark << 1]!; id !== mark; id = this.#links[id << 1]!)
        if (spared[id] !== 1) {
          this.#takeOut(id);
          return true;
        }
    }
    return false;
  }

  #takeOut(id: number): void {
    const list = this.#listOf[id]!;
    const before = this.#links[(id << 1) | 1]!;
    const after = this.#links[id << 1]!;
    this.#links[before << 1] = after;
    this.#links[(after << 1) | 1] = before;
    this.#listOf[id] = 0;
    this.resident--;
    if (before === after) this.#close(list);
  }

  /** The list of frequency 1, opened if there is none. Below it may be that of residents whose uses were forgotten. */
  #openOnes(): number {
    const first = this.#above[0]!;
    const zeros = first !== 0 && this.#frequency[first] === 0 ? first : 0;
    const list = this.#above[zeros]!;
    return list !== 0 && this.#frequency[list] === 1 ? list : this.#open(1, zeros);
  }

  /** Evicts `count` residents, lowest frequency and least recent first, sparing those used in call `protect`. */
  #evict(count: number, protect: number): void {
    this.resident -= count;
    const links = this.#links;
    const listOf = this.#listOf;
    const usedIn = this.#usedIn;
    let list = this.#above[0]!;
    let left = count;
    while (left > 0) {
      const mark = this.#objects + list;
      const above = this.#above[list]!;
      let id = links[mark << 1]!;
      // Members used in this call are the most recent of their list: from the first of them on, all are spared.
      while (left > 0 && id !== mark && usedIn[id] !== protect) {
        listOf[id] = 0;
        id = links[id << 1]!;
        left--;
      }
      links[mark << 1] = id;
      links[(id << 1) | 1] = mark;
      if (id === mark) this.#close(list);
      list = above;
    }
  }

  /** Opens an empty list of a frequency above list `below` in the chain. */
  #open(frequency: number, below: number): number {
    const list = this.#unused;
    this.#unused = this.#above[list]!;
    const above = this.#above[below]!;
    this.#frequency[list] = frequency;
    this.#above[below] = list;
    this.#below[list] = below;
    this.#above[list] = above;
    this.#below[above] = list;
    const mark = this.#objects + list;
    this.#links[mark << 1] = mark;
    this.#links[(mark << 1) | 1] = mark;
    return list;
  }

  #close(list: number): void {
    const above = this.#above[list]!;
    const below = this.#below[list]!;
    this.#above[below] = above;
    this.#below[above] = below;
    this.#above[list] = this.#unused;
    this.#unused = list;
  }

  /**
   * Halves all frequencies, rounded down but at least 1. Lists that become equal are merged in the order of `touchedAt`, so
   * the least recent still goes first.
   */
  protected halve(touchedAt: Float64Array): void {
    this.#recount(touchedAt, (uses) => Math.max(Math.min(1, uses), Math.floor(uses / 2)));
  }

  /** Forgets all uses, so that the least recent resident goes first. */
  protected forget(touchedAt: Float64Array): void {
    this.#recount(touchedAt, () => 0);
  }

  #recount(touchedAt: Float64Array, recounted: (uses: number) => number): void {
    const above = this.#above;
    const frequency = this.#frequency;
    for (let list = above[0]!; list !== 0; list = above[list]!) frequency[list] = recounted(frequency[list]!);
    for (let list = above[0]!; list !== 0; list = above[list]!)
      while (above[list] !== 0 && frequency[above[list]!] === frequency[list]) this.#absorb(list, touchedAt);
  }

  /** Merges the list above into `list`; both are ordered by `touchedAt`, and so is the result. */
  #absorb(list: number, touchedAt: Float64Array): void {
    const links = this.#links;
    const other = this.#above[list]!;
    const mark = this.#objects + list;
    const otherMark = this.#objects + other;
    let at = links[mark << 1]!;
    let from = links[otherMark << 1]!;
    while (from !== otherMark) {
      if (at !== mark && touchedAt[at]! < touchedAt[from]!) {
        at = links[at << 1]!;
        continue;
      }
      const following = links[from << 1]!;
      const before = links[(at << 1) | 1]!;
      links[before << 1] = from;
      links[(from << 1) | 1] = before;
      links[from << 1] = at;
      links[(at << 1) | 1] = from;
      this.#listOf[from] = list;
      from = following;
    }
    this.#close(other);
  }
}

/** An LFU cache whose uses fade: every `halfLife` calls they count half, and with `resets` a request that begins ends them. */
class FadingLfuCache extends LfuCache {
  readonly #halfLife: number;
  readonly #resets: boolean;
  readonly #base: number;
  /** Number of the access in which each object was last used or prefetched. */
  readonly #touchedAt: Float64Array;
  #accesses = 0;
  #calls = 0;

  constructor(context: CacheContext, halfLife: number, resets: boolean) {
    super(context);
    this.#halfLife = halfLife;
    this.#resets = resets;
    this.#base = context.base ?? 0;
    this.#touchedAt = new Float64Array(context.objects);
  }

  override call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    for (let i = from; i < to; i++) this.#touchedAt[keys[i]! - this.#base] = this.#accesses++;
    const hits = super.call(keys, from, to, hit);
    if (++this.#calls % this.#halfLife === 0) this.halve(this.#touchedAt);
    return hits;
  }

  override insert(key: number, spared: Uint8Array): boolean {
    const entered = super.insert(key, spared);
    if (entered) this.#touchedAt[key - this.#base] = this.#accesses++;
    return entered;
  }

  requestStarts(): void {
    if (this.#resets) this.forget(this.#touchedAt);
  }
}

const parameters = {
  halfLife: z
    .int()
    .min(1)
    .max(1e9)
    .optional()
    .describe(
      "Calls after which the uses so far count half, rounded down but at least one. Each cache counts its own calls: one a " +
        "step with scope layer, one a layer and step with scope global. Default: they never fade.",
    ),
  reset: z
    .enum(["request"])
    .optional()
    .describe(
      "request: the uses of all residents start again at 0 whenever a request begins, as in MoE-Infinity's runtime. Default: never.",
    ),
};

/**
 * Evicts the expert used least often since it was loaded, ties to the least recently used. Counts are lost with the
 * slot, as in MoE-Infinity's runtime (arXiv 2401.14361) and libCacheSim. MoE-Infinity's runtime, over all layers of a device, also zeroes them
 * once per request (`reset`): it does so per batch, here every request that begins does it for all. Its own order among equals is not known.
 * Uses fade as in TinyLFU (arXiv 1512.00727), which halves its counters at regular intervals.
 */
export const lfu: CachePolicy<typeof parameters> = {
  name: "lfu",
  rule: "Evicts the expert used least often since it was loaded, ties to the least recently used.",
  needs: [],
  parameters,
  create: (context, { halfLife, reset } = {}) =>
    halfLife === undefined && reset !== "request"
      ? new LfuCache(context)
      : new FadingLfuCache(context, halfLife ?? Number.POSITIVE_INFINITY, reset === "request"),
};
