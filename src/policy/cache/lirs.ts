import { z } from "zod";
import { nextStamp } from "./call-stamps.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { LinkedLists } from "./linked-lists.ts";

/** What an object is: a resident of low or high inter-reference recency, or one that only the stack remembers. */
const low = 1;
const high = 2;
const remembered = 3;

/** Lists of the second set of links: residents of high recency, oldest first, and the memory by time of eviction. */
const queue = 0;
const memory = 1;

/** Objects in the stack per slot, those remembered included. */
const stackPerSlot = 2;

/**
 * The stack orders objects by last use; its oldest is always one of low recency. A call's experts are touched in order,
 * then residents leave from the queue. Where the queue has none outside the call, the oldest of low recency leave too.
 */
class LirsCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** Residents of low recency that the cache aims at. */
  readonly #lowMax: number;
  readonly #demotes: boolean;
  readonly #stack: LinkedLists;
  readonly #queues: LinkedLists;
  readonly #state: Uint8Array;
  readonly #inStack: Uint8Array;
  /** Call in which each object was last used. */
  readonly #usedIn: Uint16Array;
  #stacked = 0;
  #lows = 0;
  /** Slots that this call leaves free: a variant's hits cost an expert each. */
  #forgone = 0;
  #call = 0;

  constructor(context: CacheContext, { highShare, variant }: { highShare: number; variant: "paper" | "repo" }) {
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    const highs = Math.max(1, Math.floor(highShare * this.capacity));
    this.#lowMax = Math.max(0, this.capacity - highs);
    this.#demotes = variant === "repo" && highs > 1;
    this.#stack = new LinkedLists(context.objects, 1);
    this.#queues = new LinkedLists(context.objects, 2);
    this.#state = new Uint8Array(context.objects);
    this.#inStack = new Uint8Array(context.objects);
    this.#usedIn = new Uint16Array(context.objects);
  }

  contains(key: number): boolean {
    const state = this.#state[key - this.#base];
    return state === low || state === high;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const state = this.#state;
    const usedIn = this.#usedIn;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    let hits = 0;
    let free = this.capacity - this.resident;
    this.#forgone = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      usedIn[id] = now;
      const is = state[id]!;
      hit[(i - from) | 0] = 0;
      if (is === low) this.#touchLow(id);
      else if (is === high) this.#touchHigh(id);
      else {
        this.#enter(id, is === remembered, free > 0);
        free--;
        continue;
      }
      hit[(i - from) | 0] = 1;
      hits++;
    }
    this.resident += to - from - hits;
    const fits = to - from <= this.capacity;
    const excess = this.resident - Math.max(this.capacity - this.#forgone, fits ? to - from : 0);
    if (excess > 0) this.#evict(excess, fits ? now : -1);
    this.#limitStack();
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const free = this.resident < this.capacity;
    if (!free && !this.#evictUnspared(spared)) return false;
    const id = key - this.#base;
    if (this.#state[id] === remembered) {
      this.#queues.remove(id);
      this.#unstack(id);
    }
    this.#enter(id, false, free);
    this.#usedIn[id] = 0;
    this.resident++;
    this.#limitStack();
    return true;
  }

  /** It leaves no memory: nothing was learnt of its use. */
  drop(key: number): void {
    const id = key - this.#base;
    if (this.#inStack[id] === 1) this.#unstack(id);
    this.#leave(id);
  }

  #touchLow(id: number): void {
    const wasOldest = this.#stack.oldest(0) === id;
    this.#stack.remove(id);
    this.#stack.append(0, id);
    if (wasOldest) this.#prune();
  }

  #touchHigh(id: number): void {
    this.#queues.remove(id);
    if (this.#inStack[id] === 1) {
      this.#unstack(id);
      this.#push(id, low);
      if (this.#lows > this.#lowMax) this.#demote();
      return;
    }
    this.#queues.append(queue, id);
    if (this.#demotes && this.#lows >= this.#lowMax) {
      this.#demote();
      this.#forgone++;
    }
    this.#push(id, high);
  }

  /** A miss enters. One that the stack remembers was used again soon enough to be of low recency. */
  #enter(id: number, isRemembered: boolean, hasSlot: boolean): void {
    if (isRemembered) {
      this.#queues.remove(id);
      this.#unstack(id);
      this.#push(id, low);
      if (this.#lows > this.#lowMax) this.#demote();
    } else if (hasSlot && this.#lows < this.#lowMax) this.#push(id, low);
    else {
      this.#queues.append(queue, id);
      this.#push(id, high);
    }
  }

  /** The oldest of low recency joins the queue. */
  #demote(): void {
    this.#prune();
    const id = this.#stack.oldest(0);
    this.#unstack(id);
    this.#lows--;
    this.#state[id] = high;
    this.#queues.append(queue, id);
    this.#prune();
  }

  #evict(count: number, protect: number): void {
    let left = count;
    for (let id = this.#queues.oldest(queue); left > 0 && !this.#queues.isMark(id); ) {
      const following = this.#queues.after(id);
      if (this.#usedIn[id] !== protect) {
        this.#evictHigh(id);
        left--;
      }
      id = following;
    }
    // The call's experts of low recency are the newest of the stack, so its oldest is none of them.
    for (; left > 0; left--) this.#leave(this.#unstack(this.#stack.oldest(0)));
  }

  #evictUnspared(spared: Uint8Array): boolean {
    for (let id = this.#queues.oldest(queue); !this.#queues.isMark(id); id = this.#queues.after(id))
      if (spared[id] !== 1) {
        this.#evictHigh(id);
        return true;
      }
    for (let id = this.#stack.oldest(0); !this.#stack.isMark(id); id = this.#stack.after(id))
      if (this.#state[id] === low && spared[id] !== 1) {
        this.#leave(this.#unstack(id));
        return true;
      }
    return false;
  }

  /** A resident of high recency leaves its slot; where the stack has it, it is remembered. */
  #evictHigh(id: number): void {
    this.#queues.remove(id);
    this.resident--;
    this.#state[id] = this.#inStack[id] === 1 ? remembered : 0;
    if (this.#inStack[id] === 1) this.#queues.append(memory, id);
  }

  /** A resident that is no longer in the stack leaves without a trace. */
  #leave(id: number): void {
    if (this.#state[id] === high) this.#queues.remove(id);
    else this.#lows--;
    this.#state[id] = 0;
    this.resident--;
    this.#prune();
  }

  #push(id: number, state: number): void {
    this.#stack.append(0, id);
    this.#inStack[id] = 1;
    this.#stacked++;
    this.#state[id] = state;
    if (state === low && ++this.#lows === 1) this.#prune();
  }

  #unstack(id: number): number {
    this.#stack.remove(id);
    this.#inStack[id] = 0;
    this.#stacked--;
    return id;
  }

  /** Takes from the stack what is older than the oldest of low recency: it could not become one any more. */
  #prune(): void {
    for (;;) {
      const id = this.#stack.oldest(0);
      if (this.#stack.isMark(id) || this.#state[id] === low) return;
      this.#unstack(id);
      if (this.#state[id] === remembered) this.#forget(id);
    }
  }

  #limitStack(): void {
    while (this.#stacked > stackPerSlot * this.capacity) {
      const id = this.#queues.oldest(memory);
      if (this.#queues.isMark(id)) return;
      this.#unstack(id);
      this.#forget(id);
    }
  }

  #forget(id: number): void {
    this.#queues.remove(id);
    this.#state[id] = 0;
  }
}

const parameters = {
  highShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe("Share of the slots for experts of high inter-reference recency, rounded down, at least one slot."),
  variant: z
    .enum(["paper", "repo"])
    .default("paper")
    .describe(
      "`repo`: a hit on an expert of high recency that the stack has lost demotes one of low recency and evicts another, as in " +
        "libCacheSim; the next newcomer takes the place. With one slot of high recency it is `paper`.",
    ),
};

/**
 * LIRS (Jiang and Zhang, LIRS: An Efficient Low Inter-reference Recency Set Replacement Policy, SIGMETRICS 2002): slots
 * belong to experts whose last two uses had few others between them; the rest pass through a short queue. The memory of
 * evicted experts is bounded as in libCacheSim. Left out: libCacheSim with one slot of high recency goes on counting hits
 * on experts that it has evicted, so it hits more objects than it has slots for; and it caches nothing in one slot.
 */
export const lirs: CachePolicy<typeof parameters> = {
  name: "lirs",
  rule: "Evicts the oldest of the experts whose last two uses lie far apart; those used again soon keep their slots.",
  needs: [],
  parameters,
  create: (context, values = { highShare: 0.01, variant: "paper" }) => new LirsCache(context, values),
};
