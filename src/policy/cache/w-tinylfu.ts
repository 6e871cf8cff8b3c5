import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { LinkedQueues } from "./linked-queues.ts";
import { Segments, segmentSlots } from "./segments.ts";
import { shareSlots } from "./share-slots.ts";
import { SteppedCache } from "./stepped-cache.ts";

const window = 1;
const probation = 2;
const protectedPart = 3;

interface WTinyLfuValues {
  readonly windowShare: number;
  readonly protectedShare: number;
  readonly sample: number;
  readonly variant: "repo" | "paper";
}

class WTinyLfuCache extends SteppedCache {
  readonly #queues: LinkedQueues;
  readonly #main: Segments;
  readonly #mainSlots: number;
  readonly #isPaper: boolean;
  /** Uses of each object that count, resident or not; halved every `period` uses. */
  readonly #uses: Uint32Array;
  readonly #period: number;
  #counted = 0;

  constructor(context: CacheContext, { windowShare, protectedShare, sample, variant }: WTinyLfuValues) {
    super(context);
    this.#mainSlots = Math.max(0, context.capacity - shareSlots(context.capacity, windowShare));
    this.#queues = new LinkedQueues(context.objects, protectedPart);
    const slots = segmentSlots(this.#mainSlots, [1 - protectedShare, protectedShare]);
    this.#main = new Segments(this.#queues, probation, slots);
    this.#isPaper = variant === "paper";
    this.#uses = new Uint32Array(context.objects);
    this.#period = sample * Math.max(1, this.#isPaper ? context.capacity : this.#mainSlots);
  }

  protected touch(id: number): void {
    const inWindow = this.#queues.queueOf[id] === window;
    if (inWindow) this.#queues.move(window, id);
    else this.#main.touch(id);
    if (this.#isPaper || !inWindow) this.#countAndFade(id);
  }

  protected recall(id: number): boolean {
    if (this.#isPaper) this.#countAndFade(id);
    else this.#uses[id]!++;
    return false;
  }

  protected load(id: number): void {
    this.#queues.append(window, id);
  }

  protected evict(kept: Uint8Array): number {
    const queues = this.#queues;
    for (;;) {
      const candidate = queues.oldestNotIn(kept, window);
      const hasRoom = queues.length[probation]! + queues.length[protectedPart]! < this.#mainSlots;
      const victim = candidate >= 0 && hasRoom ? -1 : this.#main.victim(kept);
      const isAdmitted = candidate >= 0 && (hasRoom || (victim >= 0 && this.#uses[candidate]! > this.#uses[victim]!));
      const leaves = candidate >= 0 && !isAdmitted ? candidate : victim;
      if (leaves >= 0) queues.remove(leaves);
      if (isAdmitted) {
        queues.remove(candidate);
        this.#main.load(candidate);
      }
      if (candidate >= 0 && !this.#isPaper) this.#uses[candidate]!++;
      if (leaves >= 0) return leaves;
    }
  }

  protected remove(id: number): void {
    this.#queues.remove(id);
  }

  #countAndFade(id: number): void {
    this.#uses[id]!++;
    if (++this.#counted < this.#period) return;
    this.#counted = 0;
    for (let other = 0; other < this.#uses.length; other++) this.#uses[other]! >>>= 1;
  }
}

const parameters = {
  windowShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.01)
    .describe(
      "Share of the slots that newcomers have before they are judged; at least one slot. A call should fit into it.",
    ),
  protectedShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.8)
    .describe("Share of the main part for experts used again there; at least one slot."),
  sample: z
    .int()
    .min(1)
    .max(1e6)
    .default(32)
    .describe(
      "Counted uses per slot after which all counts halve: repo, hits in and slots of the main part; paper, all of them.",
    ),
  variant: z
    .enum(["repo", "paper"])
    .default("repo")
    .describe(
      "Which uses count: paper, all; repo, as in libCacheSim, loads and hits in the main part, and once more when an expert leaves " +
        "the window.",
    ),
};

/**
 * W-TinyLFU (Einziger, Friedman and Manes, TinyLFU: a highly efficient cache admission policy, ACM ToS 13(4), 2017). Counts are exact,
 * one per expert: a model has few. The papers' and libCacheSim's (aa0fc409) sketch shares counters between hashed ids, so their
 * counts of misses differ where ids collide. The doorkeeper is left out, as there. Where a call is larger than the window, the
 * surplus takes slots of the main part unjudged: a call that fits must be resident.
 */
export const wTinyLfu: CachePolicy<typeof parameters> = {
  name: "w-tinylfu",
  rule: "An expert that leaves a small window enters the main part only if it was used more often than the one that it would replace there.",
  needs: [],
  parameters,
  create: (context, values = { windowShare: 0.01, protectedShare: 0.8, sample: 32, variant: "repo" }) =>
    new WTinyLfuCache(context, values),
};
