import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { QueuedCache } from "./queued-cache.ts";
import { Segments, segmentSlots } from "./segments.ts";

class SlruCache extends QueuedCache {
  readonly #segments: Segments;

  constructor(context: CacheContext, weights: readonly number[]) {
    const slots = segmentSlots(context.capacity, weights);
    super(context, slots.length, slots.length);
    this.#segments = new Segments(this.table, this.queues, 1, slots);
  }

  protected serve(keys: Uint32Array, from: number, to: number, hit: Uint8Array, free: number, kept: Uint8Array): void {
    let left = free;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - this.base) | 0;
      if (hit[(i - from) | 0] === 1) this.#segments.touch(id);
      else {
        if (left > 0) left--;
        else this.evict(kept);
        this.load(id);
      }
    }
  }

  protected load(id: number): void {
    this.#segments.load(id);
  }

  protected evict(kept: Uint8Array): void {
    this.#segments.remove(this.#segments.victim(kept));
  }
}

const parameters = {
  segments: z
    .array(z.number().positive().max(1e6))
    .min(2)
    .max(16)
    .default([1, 1, 1, 1])
    .describe("Sizes of the segments in proportion, the lowest first; each has at least one slot."),
};

/**
 * SLRU (Karedla, Love and Wherry, Caching strategies to improve disk system performance, IEEE Computer 27(3), 1994). The paper has a
 * probationary and a protected segment; the default here is libCacheSim's (aa0fc409), four of one size. Its counts are the same
 * where the segments divide the slots without a rest. With a rest libCacheSim evicts on hits; here the lowest segment has it.
 */
export const slru: CachePolicy<typeof parameters> = {
  name: "slru",
  rule: "A use moves an expert up one segment, and the least recent there down one; evicts the least recent of the lowest segment.",
  needs: [],
  parameters,
  create: (context, { segments } = { segments: [1, 1, 1, 1] }) => new SlruCache(context, segments),
};
