import { z } from "zod";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { QueuedCache } from "./queued-cache.ts";
import { Segments, segmentSlots } from "./segments.ts";
import { shareSlots } from "./share-slots.ts";

const window = 1;
const probation = 2;
const protectedPart = 3;

interface WTinyLfuValues {
  readonly windowShare: number;
  readonly protectedShare: number;
  readonly sample: number;
  readonly variant: "repo" | "paper";
}

class WTinyLfuCache extends QueuedCache {
  readonly #window = this.queues[window - 1]!;
  readonly #main: Segments;
  readonly #isPaper: boolean;
  /** Uses of each object that count, resident or not; halved every `period` uses. */
  readonly #uses: Uint32Array;
  readonly #period: number;
  #counted = 0;

  constructor(context: CacheContext, { windowShare, protectedShare, sample, variant }: WTinyLfuValues) {
    super(context, protectedPart, protectedPart);
    const mainSlots = Math.max(0, context.capacity - shareSlots(context.capacity, windowShare));
    const slots = segmentSlots(mainSlots, [1 - protectedShare, protectedShare]);
    this.#main = new Segments(this.table, this.queues, probation, slots);
    this.#isPaper = variant === "paper";
    this.#uses = new Uint32Array(context.objects);
    this.#period = sample * Math.max(1, this.#isPaper ? context.capacity : mainSlots);
  }

  protected serve(keys: Uint32Array, from: number, to: number, hit: Uint8Array, free: number, kept: Uint8Array): void {
    let left = free;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - this.base) | 0;
      if (hit[(i - from) | 0] === 1) this.#touch(id);
      else {
        if (this.#isPaper) this.#countAndFade(id);
        else this.#uses[id]!++;
        if (left > 0) left--;
        else this.evict(kept);
        this.load(id);
      }
    }
  }

  #touch(id: number): void {
    const inWindow = this.table.queueOf[id]! === window;
    if (inWindow) this.#window.renew(id);
    else this.#main.touch(id);
    if (this.#isPaper || !inWindow) this.#countAndFade(id);
  }

  protected load(id: number): void {
    this.#window.add(id);
  }

  protected evict(kept: Uint8Array): void {
    for (;;) {
      const candidate = this.#window.oldestNotIn(kept);
      const hasRoom = candidate >= 0 && this.#main.hasRoom();
      const victim = hasRoom ? -1 : this.#main.victim(kept);
      const isAdmitted = hasRoom || (candidate >= 0 && victim >= 0 && this.#uses[candidate]! > this.#uses[victim]!);
      if (candidate >= 0 && !this.#isPaper) this.#uses[candidate]!++;
      if (candidate >= 0 && !isAdmitted) {
        this.#window.remove(candidate);
        return;
      }
      if (victim >= 0) this.#main.remove(victim);
      if (isAdmitted) {
        this.#window.remove(candidate);
        this.#main.load(candidate);
      }
      if (victim >= 0) return;
    }
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
