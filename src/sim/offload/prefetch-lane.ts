import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import { Guesses } from "../../policy/prefetch/guesses.ts";
import type { Prefetcher, PrefetchStep } from "../../policy/prefetch/prefetcher.ts";
import type { AskedExperts } from "./asked-experts.ts";
import { PrefetchPiece, type SentBytes } from "./prefetch-piece.ts";
import type { PrefetchRoad } from "./prefetch-road.ts";
import { SparedExperts } from "./spared-experts.ts";
import type { WriteBacks } from "./write-backs.ts";

const never = Number.POSITIVE_INFINITY;

/**
 * What a call found of an expert: nothing, or the expert itself, or that it is on its way over the link, or on its way from a disk
 * and so for the call to fetch.
 */
export const found = { missing: 0, resident: 1, late: 2, reading: 3 } as const;

/** How a run follows what its prefetcher guesses. */
export interface PrefetchRules {
  /** Experts sent for one layer of a step. */
  readonly budget: number;
  /** Pieces that an expert is sent in. */
  readonly chunks: number;
  /** From the choice of a layer until its guesses are known. */
  readonly latencyNs: number;
  /** Whether wrong guesses that are still on their way are given up when their layer has chosen. */
  readonly preempt: boolean;
}

/** Guesses of one gate that are not known yet, by model layer. */
interface Pending {
  readonly dueNs: number;
  readonly keys: Uint32Array;
}

/**
 * Experts on their way to one expert rank before anybody asks for them. They enter the cache when their transfer is
 * submitted, as background work on all that it passes: a disk first where they live on one that memory caches. Demand goes
 * before; of guesses, those of older steps, then those for nearer layers. What a call asks for while it is still on its way
 * is raised to demand. What leaves the cache meanwhile is cancelled.
 */
export class PrefetchLane {
  /** Experts sent. Each was used, in time or late, or wasted: evicted, given up, or never used by the end of the run. */
  followed = 0;
  inTime = 0;
  late = 0;
  evicted = 0;
  preempted = 0;
  unused = 0;
  /** Guesses for which the cache, or memory on the way, had no room. */
  refused = 0;
  /** Bytes over the link of a device, and those of experts that were wasted. */
  linkBytes = 0;
  wastedBytes = 0;
  /** Late ones that the link still had chunks of, and late ones that were on their way from a disk: a demand fetched them. */
  raised = 0;
  fetched = 0;
  readonly sent: SentBytes = { link: 0, uplink: 0, memory: 0, socketLink: 0, disk: 0 };
  private readonly prefetcher: Prefetcher;
  private readonly rules: PrefetchRules;
  private readonly experts: number;
  /** [MoE layers] from a key of the layer to that of the layer which holds its experts. */
  private readonly shifts: readonly number[];
  /** [MoE layers x experts] 1 for what the rank computes. */
  private readonly held: Uint8Array;
  private readonly road: PrefetchRoad;
  private readonly writeBacks: WriteBacks | null;
  private readonly guesses: Guesses;
  private readonly spared: SparedExperts;
  /** [MoE layers x experts] an expert that was sent and not used yet. */
  private readonly pieces: (PrefetchPiece | null)[];
  /** Those of them that are not known to be there. */
  private sending: PrefetchPiece[] = [];
  private pending: Pending[] = [];
  /** When memory has the next expert that a disk was asked for, ns; Infinity while that is not known. */
  private readNs = never;
  /** [MoE layers] experts sent in this step. */
  private readonly sentFor: Float64Array;
  private readonly keys: Uint32Array;
  private readonly layers: Uint32Array;
  private stepNs = 0;
  /** The last layer of the step that has chosen; -1 before the first. */
  private reached = -1;

  constructor(options: {
    readonly prefetcher: Prefetcher;
    readonly rules: PrefetchRules;
    readonly experts: number;
    /** [MoE layers] layer that holds the experts of each. */
    readonly homes: readonly number[];
    readonly held: Uint8Array;
    readonly road: PrefetchRoad;
    /** Who gives back what leaves the cache; null where host memory has a copy of all. */
    readonly writeBacks: WriteBacks | null;
  }) {
    const { experts, homes } = options;
    const objects = homes.length * experts;
    this.prefetcher = options.prefetcher;
    this.rules = options.rules;
    this.experts = experts;
    this.shifts = homes.map((home, layer) => (home - layer) * experts);
    this.held = options.held;
    this.road = options.road;
    this.writeBacks = options.writeBacks;
    this.guesses = new Guesses(objects);
    this.spared = new SparedExperts(objects);
    this.pieces = Array.from({ length: objects }, () => null);
    this.sentFor = new Float64Array(homes.length);
    this.keys = new Uint32Array(objects);
    this.layers = new Uint32Array(objects);
  }

  /** When the lane next does something of its own, ns; Infinity while that is not known. */
  get nextNs(): number {
    return this.pending.length > 0 ? Math.min(this.pending[0]!.dueNs, this.readNs) : this.readNs;
  }

  get heedsRequests(): boolean {
    return this.prefetcher.requestStarts !== undefined;
  }

  requestStarts(): void {
    this.prefetcher.requestStarts?.();
  }

  /** A step enters the stage at `atNs`. */
  stepStarts(step: PrefetchStep, atNs: number): void {
    this.stepNs = atNs;
    this.readNs = Math.max(this.readNs, atNs);
    this.reached = -1;
    this.pending = [];
    this.sentFor.fill(0);
    this.spared.clear();
    this.guesses.clear();
    this.prefetcher.stepStarts(step, this.guesses);
    this.keep(atNs);
  }

  /** Does what is due at `atNs`: follows guesses that are known now, and sends on what memory has from a disk. */
  advance(cache: ExpertCache, atNs: number): void {
    this.settle(atNs);
    while (this.pending.length > 0 && this.pending[0]!.dueNs <= atNs)
      this.follow(this.pending.shift()!.keys, cache, atNs);
  }

  /** A layer has chosen `asked` at `atNs`, and the cache will serve the call. */
  reach({ layer, keys, count }: AskedExperts, cache: ExpertCache, atNs: number): void {
    this.settle(atNs);
    this.reached = layer;
    this.spared.reach(layer);
    for (let i = 0; i < count; i++) {
      const piece = this.pieces[keys[i]!]!;
      if (piece !== null && !cache.contains(piece.key)) this.lose(piece, "evicted", atNs);
      this.spared.spare(keys[i]!, layer);
    }
  }

  /**
   * The cache has served the call; `hit` says what it held. Marks there what is still on its way over the link, and when each is
   * there. What the call threw out is given up, and so are wrong guesses where they are preempted. Returns how many experts of
   * the call were on their way.
   */
  use({ keys, count }: AskedExperts, cache: ExpertCache, hit: Uint8Array, readyNs: Float64Array, atNs: number): number {
    const before = this.late;
    for (let i = 0; i < count; i++) {
      const piece = this.pieces[keys[i]!]!;
      if (piece === null) continue;
      this.pieces[piece.key] = null;
      if (piece.arrived) {
        this.inTime++;
        continue;
      }
      this.late++;
      this.sending.splice(this.sending.indexOf(piece), 1);
      if (piece.leaves) {
        hit[i] = found.late;
        if (piece.stoppable(atNs)) this.raised++;
        readyNs[i] = piece.raise(atNs, this.sent);
        this.linkBytes += this.road.cost.bytes;
      } else {
        // Its disk is asked by the call, which now waits for it.
        hit[i] = found.reading;
        this.fetched++;
      }
      this.road.host.letGo(piece.key, atNs);
    }
    this.loseEvicted(cache, atNs);
    if (this.rules.preempt) this.giveUpWrong(cache, atNs);
    return this.late - before;
  }

  /** Guesses the layers behind the one that has just chosen. */
  guess(step: PrefetchStep, { keys: asked, count }: AskedExperts, cache: ExpertCache, atNs: number): void {
    const shift = this.shifts[this.reached]!;
    for (let i = 0; i < count; i++) this.keys[i] = asked[i]! - shift;
    this.guesses.clear();
    this.prefetcher.layerChosen(step, this.reached, this.keys, count, this.guesses);
    this.keep(atNs);
    if (this.nextNs <= atNs) this.advance(cache, atNs);
  }

  /** The device loses its experts, or the run ends. */
  end(cache: ExpertCache, atNs: number): void {
    this.pending = [];
    for (const piece of this.pieces)
      if (piece !== null) this.lose(piece, cache.contains(piece.key) ? "unused" : "evicted", atNs);
    this.readNs = never;
  }

  /** Keeps what was guessed at `atNs` until it is known. */
  private keep(atNs: number): void {
    const { count, keys } = this.guesses;
    if (count > 0) this.pending.push({ dueNs: atNs + this.rules.latencyNs, keys: keys.slice(0, count) });
  }

  /** Sends the experts that are absent, as far as their layers are still to come and have a share of the budget left. */
  private follow(guesses: Uint32Array, cache: ExpertCache, atNs: number): void {
    let expected = 0;
    for (const guess of guesses) {
      const layer = Math.floor(guess / this.experts);
      if (layer <= this.reached || this.held[guess] === 0) continue;
      const key = guess + this.shifts[layer]!;
      // What is there must not make room for what is not.
      if (cache.contains(key)) this.spared.spare(key, layer);
      this.layers[expected] = layer;
      this.keys[expected++] = key;
    }
    cache.foresee?.(this.keys, 0, expected);
    for (let i = 0; i < expected; i++) this.send(this.keys[i]!, this.layers[i]!, cache, atNs);
    this.loseEvicted(cache, atNs);
    this.settle(atNs);
  }

  /** Sends an expert that `layer` is expected to ask for, unless it is there or the call under way fetches it. */
  private send(key: number, layer: number, cache: ExpertCache, atNs: number): void {
    if (cache.contains(key) || this.spared.now(key, this.reached) || this.sentFor[layer]! >= this.rules.budget) return;
    const before = this.pieces[key]!;
    if (before !== null) this.lose(before, "evicted", atNs);
    const piece = new PrefetchPiece(layer, key, this.stepNs + layer);
    if (!cache.insert(key, this.spared.flags)) {
      this.refused++;
      return;
    }
    this.writeBacks?.sent(key, cache);
    const comes = this.road.host.prefetch(key, atNs, piece.priority);
    this.writeBacks?.next(atNs);
    if (!comes) {
      this.writeBacks?.neverCame(key);
      cache.drop(key);
      this.refused++;
      return;
    }
    this.spared.spare(key, layer);
    this.sentFor[layer]!++;
    this.followed++;
    this.pieces[key] = piece;
    this.sending.push(piece);
  }

  /** Learns what has arrived by `atNs`, and sends on what is in memory. */
  private settle(atNs: number): void {
    this.readNs = never;
    const { sending, road } = this;
    let left = 0;
    for (const piece of sending) {
      if (!piece.leaves) {
        const fromNs = road.host.prefetchedNs(piece.key, atNs);
        if (fromNs <= atNs) road.send(piece, this.rules.chunks, atNs);
        else this.readNs = Math.min(this.readNs, fromNs);
      } else if (piece.doneNs(atNs) <= atNs) {
        this.stop(piece, atNs);
        piece.arrived = true;
        continue;
      }
      sending[left++] = piece;
    }
    sending.length = left;
  }

  /** Gives up what is on its way and has left the cache. */
  private loseEvicted(cache: ExpertCache, atNs: number): void {
    for (const piece of this.sending.filter(({ key }) => !cache.contains(key))) this.lose(piece, "evicted", atNs);
  }

  /** Gives up what layers that have chosen did not ask for, as far as the link has not begun all of it. */
  private giveUpWrong(cache: ExpertCache, atNs: number): void {
    for (const piece of this.sending.filter(({ layer }) => layer <= this.reached)) {
      if (!piece.stoppable(atNs)) continue;
      this.lose(piece, "preempted", atNs);
      cache.drop(piece.key);
    }
  }

  /** An expert that was sent was not used. */
  private lose(piece: PrefetchPiece, why: "evicted" | "preempted" | "unused", atNs: number): void {
    this[why]++;
    this.pieces[piece.key] = null;
    if (piece.arrived) {
      this.wastedBytes += this.road.cost.bytes;
      return;
    }
    this.sending.splice(this.sending.indexOf(piece), 1);
    this.writeBacks?.neverCame(piece.key);
    this.wastedBytes += this.stop(piece, atNs);
  }

  /** Ends its work. Returns the bytes that went over the link. */
  private stop(piece: PrefetchPiece, atNs: number): number {
    const bytes = piece.end(atNs, this.sent);
    this.linkBytes += bytes;
    this.road.host.giveUp(piece.key, atNs);
    return bytes;
  }
}
