import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { QueuedCache } from "./queued-cache.ts";
import { shareSlots } from "./share-slots.ts";

/** The queues A1in (here recent), Am (main) and A1out (ghost) of the paper. */
const recent = 1;
const main = 2;
const ghost = 3;

class TwoQCache extends QueuedCache {
  readonly #recent = this.queues[recent - 1]!;
  readonly #main = this.queues[main - 1]!;
  readonly #ghost = this.queues[ghost - 1]!;
  readonly #recentSlots: number;
  readonly #ghostSlots: number;

  constructor(context: CacheContext, recentShare: number, ghostShare: number) {
    super(context, main, ghost);
    this.#recentSlots = shareSlots(context.capacity, recentShare);
    this.#ghostSlots = shareSlots(context.capacity, ghostShare);
  }

  protected serve(keys: Uint32Array, from: number, to: number, hit: Uint8Array, free: number, kept: Uint8Array): void {
    let left = free;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - this.base) | 0;
      const queue = this.table.queueOf[id]!;
      if (hit[(i - from) | 0] === 1) {
        if (queue === main) this.#main.renew(id);
        continue;
      }
      // It is out of the memory before the victim takes a place there.
      if (queue === ghost) this.#ghost.remove(id);
      if (left > 0) left--;
      else this.evict(kept);
      if (queue === ghost) this.#main.add(id);
      else this.#recent.add(id);
    }
  }

  protected load(id: number): void {
    if (this.table.queueOf[id]! === ghost) this.#ghost.remove(id);
    this.#recent.add(id);
  }

  protected evict(kept: Uint8Array): void {
    const ofRecent = this.#recent.oldestNotIn(kept);
    const recentIsOver = this.#recent.length > this.#recentSlots;
    const ofMain = ofRecent >= 0 && recentIsOver ? -1 : this.#main.oldestNotIn(kept);
    if (ofMain >= 0) this.#main.remove(ofMain);
    else {
      this.#recent.moveTo(this.#ghost, ofRecent);
      if (this.#ghost.length > this.#ghostSlots) this.#ghost.remove(this.#ghost.oldest());
    }
  }
}

const parameters = {
  recentShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.25)
    .describe("Share of the slots for experts that came once; at least one slot."),
  ghostShare: z
    .number()
    .gt(0)
    .max(100)
    .default(0.5)
    .describe("Evicted experts that are remembered, as a share of the slots; at least one."),
};

/**
 * 2Q, the full version (Johnson and Shasha, 2Q: a low overhead high performance buffer management replacement algorithm, VLDB 1994),
 * with the shares of libCacheSim (aa0fc409), whose counts it has from 4 slots on: below, its queues are empty. Uses within the
 * first queue do not count: they are taken for one use.
 */
export const twoQ: CachePolicy<typeof parameters> = {
  name: "2q",
  rule: "Newcomers queue first in, first out; only those that come back soon after they left enter the least-recently-used main part.",
  needs: [],
  parameters,
  create: (context, { recentShare, ghostShare } = { recentShare: 0.25, ghostShare: 0.5 }) =>
    new TwoQCache(context, recentShare, ghostShare),
};
