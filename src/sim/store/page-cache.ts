import { Resource } from "../../core/resource.ts";
import { LruRanking } from "./lru-ranking.ts";
import { TierStore } from "./tier-store.ts";

/** What it takes to copy an expert out of the page cache. */
export interface PageCopy {
  /** The memory that is read and written. */
  readonly memory: Resource;
  readonly memoryNs: number;
  /** Until the first byte, beside that. */
  readonly latencyNs: number;
  /** Read and written. */
  readonly bytes: number;
  /** Time of the processor thread that copies. */
  readonly threadNs: number;
}

/**
 * Pages of the files that experts are read from, in memory of a node that nothing else takes: whole experts, the least
 * recently read go first. Every read of a disk passes it, and one thread copies what is read out of it. The host's processors
 * compute in the pages, and copy nothing. What it holds needs no disk. All replicas of a node read the same files.
 */
export class PageCache {
  /** Reads that found their expert there or on its way, those of the processors included. */
  hits = 0;
  /** Of them, those that found it there and copied it. Others came with the read that was on its way. */
  copies = 0;
  readonly copy: PageCopy;
  readonly thread = new Resource();
  private readonly pages: TierStore;

  constructor(keys: number, capacityBytes: number, copy: PageCopy) {
    this.pages = new TierStore(keys, capacityBytes, new LruRanking(keys));
    this.copy = copy;
  }

  /**
   * The files are read once before the run, the last of `keys` last: what has no room gives way to what comes after it. Other
   * replicas read the same.
   */
  load(keys: readonly number[], bytes: number): void {
    if (this.pages.usedBytes > 0) return;
    for (const key of keys) this.pages.arrive(key, bytes, 0, 0);
  }

  /** Whether a read needs no disk. */
  has(key: number, atNs: number): boolean {
    return this.pages.at(key, atNs) !== "absent";
  }

  /** Whether an expert that it has is still on its way from the disk. */
  comes(key: number, atNs: number): boolean {
    return this.pages.at(key, atNs) === "arriving";
  }

  /** The processors use an expert that it has, where it is. Returns from when on they can, ns. */
  touch(key: number, atNs: number): number {
    this.hits++;
    this.pages.use(key);
    return Math.max(atNs, this.pages.endNs(key));
  }

  /** Reads an expert that it has. Returns when that is done, ns. */
  read(key: number, atNs: number): number {
    this.touch(key, atNs);
    const copiedNs = this.thread.demand(atNs, this.copy.threadNs, 0);
    if (this.comes(key, atNs)) return Math.max(copiedNs, this.pages.endNs(key));
    this.copies++;
    const { memory, memoryNs, latencyNs, bytes } = this.copy;
    return Math.max(copiedNs, memory.demand(atNs, memoryNs, bytes) + latencyNs);
  }

  /** An expert of `bytes` comes from a disk until `endNs`. Where others on their way leave no room, it is not kept. */
  keep(key: number, bytes: number, atNs: number, endNs: number): void {
    this.pages.arrive(key, bytes, atNs, endNs);
  }

  /** The same, and it is copied while it comes. Returns when that is done, ns. */
  fill(key: number, bytes: number, atNs: number, endNs: number): number {
    this.keep(key, bytes, atNs, endNs);
    return Math.max(endNs, this.thread.demand(atNs, this.copy.threadNs, 0));
  }
}
