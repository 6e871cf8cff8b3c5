import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { LinkedQueues } from "./linked-queues.ts";
import { shareSlots } from "./share-slots.ts";
import { SteppedCache } from "./stepped-cache.ts";

const recent = 1;
const main = 2;
const ghost = 3;

/** The queues A1in (here recent), Am (main) and A1out (ghost) of the paper. */
class TwoQCache extends SteppedCache {
  readonly #queues: LinkedQueues;
  readonly #recentSlots: number;
  readonly #ghostSlots: number;

  constructor(context: CacheContext, recentShare: number, ghostShare: number) {
    super(context);
    this.#queues = new LinkedQueues(context.objects, ghost);
    this.#recentSlots = shareSlots(context.capacity, recentShare);
    this.#ghostSlots = shareSlots(context.capacity, ghostShare);
  }

  protected touch(id: number): void {
    if (this.#queues.queueOf[id] === main) this.#queues.move(main, id);
  }

  protected recall(id: number): boolean {
    const remembered = this.#queues.queueOf[id] === ghost;
    if (remembered) this.#queues.remove(id);
    return remembered;
  }

  protected load(id: number, remembered: boolean): void {
    if (this.#queues.queueOf[id] === ghost) this.#queues.remove(id);
    this.#queues.append(remembered ? main : recent, id);
  }

  protected evict(kept: Uint8Array): number {
    const queues = this.#queues;
    const ofRecent = queues.oldestNotIn(kept, recent);
    const ofMain = queues.oldestNotIn(kept, main);
    if (ofRecent >= 0 && (ofMain < 0 || queues.length[recent]! > this.#recentSlots)) {
      queues.move(ghost, ofRecent);
      queues.trim(ghost, this.#ghostSlots);
      return ofRecent;
    }
    queues.remove(ofMain);
    return ofMain;
  }

  protected remove(id: number): void {
    this.#queues.remove(id);
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
