import type { Resource } from "../../core/resource.ts";
import { copyInBackground } from "./background-copy.ts";
import { LruRanking } from "./lru-ranking.ts";

/** What an expert takes of a memory. */
interface Move {
  readonly ns: number;
  readonly bytes: number;
}

/** Two experts that change places, with the work at both memories. */
interface Swap {
  readonly key: number;
  readonly victim: number;
  readonly far: number;
  readonly nearId: number;
  readonly farId: number;
}

/**
 * Hot experts move to the nearest memory. One that is read in a farther memory, by a device or by the host's processors, changes places with the least recently
 * read one of the nearest: both are read and written, as background work of both memories, one swap at a time. Until it is
 * done each is read where it was.
 */
export class Migration {
  swaps = 0;
  /** Bytes read and written by swaps that are done, and by all that have begun. */
  doneBytes = 0;
  askedBytes = 0;
  private readonly homes: Uint8Array;
  private readonly memories: readonly Resource[];
  private readonly moves: readonly Move[];
  private readonly near: LruRanking;
  private swap: Swap | null = null;

  /** `homes`: tier of each expert; it changes with every swap. `held`: those that are the replica's on this node. */
  constructor(
    homes: Uint8Array,
    held: (key: number) => boolean,
    memories: readonly Resource[],
    moves: readonly Move[],
  ) {
    this.homes = homes;
    this.memories = memories;
    this.moves = moves;
    this.near = new LruRanking(homes.length);
    for (const [key, tier] of homes.entries()) if (tier === 0 && held(key)) this.near.enter(key);
  }

  /** Somebody begins to read an expert in the memory that it is in. */
  read(key: number, atNs: number): void {
    this.settle(atNs);
    const home = this.homes[key]!;
    if (home === 0) {
      this.near.use(key);
      return;
    }
    const victim = this.near.first();
    if (home >= this.memories.length || this.swap !== null || victim < 0) return;
    const nearId = this.begin(0, atNs);
    const farId = this.begin(home, atNs);
    this.swap = { key, victim, far: home, nearId, farId };
  }

  private begin(tier: number, atNs: number): number {
    const { ns, bytes } = this.moves[tier]!;
    this.askedBytes += 2 * bytes;
    return copyInBackground(this.memories[tier]!, atNs, 2 * ns, 2 * bytes);
  }

  private settle(atNs: number): void {
    const { swap, homes, near, memories, moves } = this;
    if (swap === null) return;
    const { key, victim, far, nearId, farId } = swap;
    const endNs = Math.max(memories[0]!.doneNs(atNs, nearId), memories[far]!.doneNs(atNs, farId));
    if (endNs > atNs) return;
    memories[0]!.cancel(atNs, nearId);
    memories[far]!.cancel(atNs, farId);
    near.leave(victim);
    near.enter(key);
    homes[victim] = far;
    homes[key] = 0;
    this.swaps++;
    this.doneBytes += 2 * (moves[0]!.bytes + moves[far]!.bytes);
    this.swap = null;
  }
}
