import { z } from "zod";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { QueuedCache } from "./queued-cache.ts";
import { shareSlots } from "./share-slots.ts";

const small = 1;
const main = 2;
const ghost = 3;
/** Second chances in the main queue at most. */
const chancesMax = 3;

interface S3FifoValues {
  readonly smallShare: number;
  readonly ghostShare: number;
  readonly moveAt: number;
  readonly variant: "repo" | "paper";
}

class S3FifoCache extends QueuedCache {
  readonly #small = this.queues[small - 1]!;
  readonly #main = this.queues[main - 1]!;
  readonly #ghost = this.queues[ghost - 1]!;
  /** Uses of each resident since it entered its queue. */
  readonly #uses: Uint8Array;
  readonly #usesMax: number;
  readonly #moveAt: number;
  readonly #smallSlots: number;
  readonly #ghostSlots: number;
  /** Whether newcomers fill the main queue once the small one is full: until the first eviction, and not in the paper. */
  #fillsMain: boolean;
  readonly #missing: Uint16Array | Uint32Array;

  constructor(context: CacheContext, { smallShare, ghostShare, moveAt, variant }: S3FifoValues) {
    super(context, main, ghost);
    this.#uses = new Uint8Array(context.objects);
    this.#moveAt = moveAt;
    this.#usesMax = Math.max(moveAt, chancesMax);
    this.#smallSlots = shareSlots(context.capacity, smallShare);
    this.#ghostSlots = shareSlots(context.capacity, ghostShare);
    this.#fillsMain = variant === "repo";
    this.#missing = denseArray(context.objects, context.objects);
  }

  protected serve(keys: Uint32Array, from: number, to: number, hit: Uint8Array, free: number, kept: Uint8Array): void {
    const uses = this.#uses;
    const usesMax = this.#usesMax;
    const missing = this.#missing;
    let misses = 0;
    // Uses of the call's experts matter to later calls alone. Without branches: whether one hits is close to a coin toss.
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - this.base) | 0;
      const isHit = hit[(i - from) | 0]!;
      const used = uses[id]!;
      uses[id] = (used + ((used - usesMax) >>> 31)) & (0 - isHit);
      missing[misses] = id;
      misses = (misses + 1 - isHit) | 0;
    }
    for (let i = 0; i < misses; i++) {
      const id = missing[i]!;
      const remembered = this.table.queueOf[id]! === ghost;
      // It is out of the memory before the victim takes a place there.
      if (remembered) this.#ghost.remove(id);
      if (i >= free) this.evict(kept);
      this.#enter(id, remembered);
    }
  }

  protected load(id: number): void {
    if (this.table.queueOf[id] === ghost) this.#ghost.remove(id);
    this.#uses[id] = 0;
    this.#enter(id, false);
  }

  #enter(id: number, remembered: boolean): void {
    const toMain = remembered || (this.#fillsMain && this.#small.length >= this.#smallSlots);
    (toMain ? this.#main : this.#small).add(id);
  }

  protected evict(kept: Uint8Array): void {
    this.#fillsMain = false;
    const mainIsOver = this.#main.length > this.capacity - this.#smallSlots;
    if (mainIsOver && this.#evictMain(kept)) return;
    if (!this.#evictSmall(kept)) this.#evictMain(kept);
  }

  /** Those used often move to the main queue until one leaves; returns whether one does. */
  #evictSmall(kept: Uint8Array): boolean {
    const small = this.#small;
    for (;;) {
      const id = small.oldestNotIn(kept);
      if (id < 0) return false;
      const leaves = this.#uses[id]! < this.#moveAt;
      small.moveTo(leaves ? this.#ghost : this.#main, id);
      if (leaves) {
        if (this.#ghost.length > this.#ghostSlots) this.#ghost.remove(this.#ghost.oldest());
        return true;
      }
      this.#uses[id] = 0;
    }
  }

  /** Those with a use lose it and become the newest until one leaves; returns whether one does. */
  #evictMain(kept: Uint8Array): boolean {
    const main = this.#main;
    for (;;) {
      const id = main.oldestNotIn(kept);
      if (id < 0) return false;
      const uses = this.#uses[id]!;
      if (uses === 0) {
        main.remove(id);
        return true;
      }
      main.renew(id);
      this.#uses[id] = Math.min(uses, chancesMax) - 1;
    }
  }
}

const parameters = {
  smallShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe("Share of the slots that the small queue has; at least one slot."),
  ghostShare: z
    .number()
    .gt(0)
    .max(100)
    .default(0.9)
    .describe("Evicted experts that are remembered, as a share of the slots; at least one."),
  moveAt: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe("Uses after its load with which an expert moves from the small queue to the main one."),
  variant: z
    .enum(["repo", "paper"])
    .default("repo")
    .describe(
      "Where experts go before the first eviction: repo, as in libCacheSim, to the main queue once the small one is full; paper, " +
        "to the small queue.",
    ),
};

/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, FIFO queues are all you need for cache eviction, SOSP 2023): newcomers pass a small
 * queue, so that experts used once do not push out the others. The counts are those of libCacheSim (aa0fc409) from 20 slots on;
 * below, its small queue takes nothing in. An expert of the call is passed over where it is in its queue.
 */
export const s3Fifo: CachePolicy<typeof parameters> = {
  name: "s3-fifo",
  rule: "Newcomers go through a small queue and stay if used there; those evicted from it go straight to the main queue when they come back soon.",
  needs: [],
  parameters,
  create: (context, values = { smallShare: 0.1, ghostShare: 0.9, moveAt: 2, variant: "repo" }) =>
    new S3FifoCache(context, values),
};
