import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { LinkedQueues } from "./linked-queues.ts";
import { shareSlots } from "./share-slots.ts";
import { SteppedCache } from "./stepped-cache.ts";

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

class S3FifoCache extends SteppedCache {
  readonly #queues: LinkedQueues;
  /** Uses of each resident since it entered its queue. */
  readonly #uses: Uint8Array;
  readonly #usesMax: number;
  readonly #moveAt: number;
  readonly #smallSlots: number;
  readonly #ghostSlots: number;
  /** Whether newcomers fill the main queue once the small one is full: until the first eviction, and not in the paper. */
  #fillsMain: boolean;

  constructor(context: CacheContext, { smallShare, ghostShare, moveAt, variant }: S3FifoValues) {
    super(context);
    this.#queues = new LinkedQueues(context.objects, ghost);
    this.#uses = new Uint8Array(context.objects);
    this.#moveAt = moveAt;
    this.#usesMax = Math.max(moveAt, chancesMax);
    this.#smallSlots = shareSlots(context.capacity, smallShare);
    this.#ghostSlots = shareSlots(context.capacity, ghostShare);
    this.#fillsMain = variant === "repo";
  }

  protected touch(id: number): void {
    const uses = this.#uses[id]!;
    if (uses < this.#usesMax) this.#uses[id] = uses + 1;
  }

  protected recall(id: number): boolean {
    const remembered = this.#queues.queueOf[id] === ghost;
    if (remembered) this.#queues.remove(id);
    return remembered;
  }

  protected load(id: number, remembered: boolean): void {
    const queues = this.#queues;
    if (queues.queueOf[id] === ghost) queues.remove(id);
    const toMain = remembered || (this.#fillsMain && queues.length[small]! >= this.#smallSlots);
    queues.append(toMain ? main : small, id);
    this.#uses[id] = 0;
  }

  protected evict(kept: Uint8Array): number {
    const queues = this.#queues;
    this.#fillsMain = false;
    let ofSmall = queues.oldestNotIn(kept, small);
    const mainIsOver = queues.length[main]! > this.capacity - this.#smallSlots;
    if (ofSmall >= 0 && !(mainIsOver && queues.oldestNotIn(kept, main) >= 0)) {
      for (; ofSmall >= 0; ofSmall = queues.oldestNotIn(kept, small)) {
        if (this.#uses[ofSmall]! < this.#moveAt) {
          queues.move(ghost, ofSmall);
          queues.trim(ghost, this.#ghostSlots);
          return ofSmall;
        }
        queues.move(main, ofSmall);
        this.#uses[ofSmall] = 0;
      }
    }
    for (;;) {
      const id = queues.oldestNotIn(kept, main);
      const uses = this.#uses[id]!;
      if (uses === 0) {
        queues.remove(id);
        return id;
      }
      queues.move(main, id);
      this.#uses[id] = Math.min(uses, chancesMax) - 1;
    }
  }

  protected remove(id: number): void {
    this.#queues.remove(id);
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
