import { holds } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import { copyInBackground } from "./background-copy.ts";
import type { TierStore } from "./tier-store.ts";

/**
 * Host memory that keeps only what the devices of its replica lack. An expert that a device takes in leaves it, and one that the
 * last device gave up comes back: its bytes are written beside the reads of others, as background work of the memory.
 */
export class ExclusiveRoom {
  /** Bytes that came back and are written, and all that were ever asked for. */
  writtenBytes = 0;
  askedBytes = 0;
  private readonly cache: TierStore;
  private readonly memory: Resource;
  /** What a device's expert takes of the memory. */
  private readonly write: { readonly ns: number; readonly bytes: number };
  /** [keys] devices, or expert ranks, that hold the expert. */
  private readonly holders: Uint16Array;
  /** Under way: the expert, its work at the memory, and when it is through the link, ns. */
  private readonly coming: { readonly key: number; readonly id: number; readonly linkEndNs: number }[] = [];

  constructor(
    keys: number,
    cache: TierStore,
    memory: Resource,
    write: { readonly ns: number; readonly bytes: number },
  ) {
    this.holders = new Uint16Array(keys);
    this.cache = cache;
    this.memory = memory;
    this.write = write;
  }

  /** Time of the last call to its memory, ns. */
  get atNs(): number {
    return this.memory.atNs;
  }

  isOnDevice(key: number): boolean {
    return this.holders[key]! > 0;
  }

  /** An expert rank has given an expert a slot. */
  taken(key: number): void {
    this.holders[key]! += 1;
  }

  /** An expert rank has taken its slot away. */
  lost(key: number): void {
    holds(this.holders[key]! > 0, "store-state", () => `expert ${key} leaves a device that it was not on`);
    this.holders[key]! -= 1;
  }

  /** Sets room of `bytes` aside for an expert that comes back. Returns false if it need not or cannot come. */
  reserve(key: number, bytes: number, atNs: number): boolean {
    this.settle(atNs);
    if (this.isOnDevice(key) || this.cache.at(key, atNs) !== "absent") return false;
    return this.cache.arrive(key, bytes, atNs, Number.POSITIVE_INFINITY);
  }

  /** An expert with room begins to come; it is through the link at `linkEndNs`. */
  begin(key: number, atNs: number, linkEndNs: number): void {
    const { memory, write, coming } = this;
    this.askedBytes += write.bytes;
    coming.push({ key, id: copyInBackground(memory, atNs, write.ns, write.bytes), linkEndNs });
  }

  /** When an expert of the cache is there, ns: somebody waits for it. */
  endNs(key: number, atNs: number): number {
    const at = this.coming.findIndex((each) => each.key === key);
    if (at < 0) return this.cache.endNs(key);
    const { id, linkEndNs } = this.coming[at]!;
    this.end(at, Math.max(linkEndNs, this.memory.raise(atNs, id)));
    return this.cache.endNs(key);
  }

  /** Whether an expert is still coming back, and nobody has asked for it. */
  comes(key: number): boolean {
    return this.coming.some((each) => each.key === key);
  }

  /** Notes the end of what is known to end. */
  settle(atNs: number): void {
    const { coming, memory } = this;
    for (let i = coming.length - 1; i >= 0; i--) {
      const { id, linkEndNs } = coming[i]!;
      const endNs = memory.doneNs(atNs, id);
      if (endNs === Number.POSITIVE_INFINITY) continue;
      memory.cancel(atNs, id);
      this.end(i, Math.max(linkEndNs, endNs));
    }
  }

  private end(at: number, endNs: number): void {
    const [{ key }] = this.coming.splice(at, 1) as [(typeof this.coming)[0]];
    this.cache.ends(key, endNs);
    this.writtenBytes += this.write.bytes;
  }
}
