import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { LinkedQueues } from "./linked-queues.ts";
import { Segments, segmentSlots } from "./segments.ts";
import { SteppedCache } from "./stepped-cache.ts";

class SlruCache extends SteppedCache {
  readonly #queues: LinkedQueues;
  readonly #segments: Segments;

  constructor(context: CacheContext, weights: readonly number[]) {
    super(context);
    const slots = segmentSlots(context.capacity, weights);
    this.#queues = new LinkedQueues(context.objects, slots.length);
    this.#segments = new Segments(this.#queues, 1, slots);
  }

  protected touch(id: number): void {
    this.#segments.touch(id);
  }

  protected recall(): boolean {
    return false;
  }

  protected load(id: number): void {
    this.#segments.load(id);
  }

  protected evict(kept: Uint8Array): number {
    const victim = this.#segments.victim(kept);
    this.#queues.remove(victim);
    return victim;
  }

  protected remove(id: number): void {
    this.#queues.remove(id);
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
