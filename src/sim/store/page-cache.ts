import { Resource } from "../../core/resource.ts";
import { LruRanking } from "./lru-ranking.ts";
import type { DiskRead } from "./read-ahead.ts";
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
  /** Bytes that copies of experts which were there read and wrote in memory. Others were copied as they came. */
  copiedBytes = 0;
  readonly copy: PageCopy;
  readonly thread = new Resource();
  private readonly pages: TierStore;
  /** Reads of a disk that nobody waits for yet, and how many want each. */
  private readonly ahead = new Map<number, { readonly read: DiskRead; wanted: number }>();

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
    this.hasten(key, atNs);
    return Math.max(atNs, this.pages.endNs(key));
  }

  /** Reads an expert that it has. Returns when that is done, ns. */
  read(key: number, atNs: number): number {
    const thereNs = this.touch(key, atNs);
    const { memory, memoryNs, latencyNs, bytes } = this.copy;
    const copiedNs = this.copyOut(atNs);
    if (this.comes(key, atNs)) return Math.max(copiedNs, thereNs);
    this.copiedBytes += bytes;
    return Math.max(copiedNs, memory.demand(atNs, memoryNs, bytes) + latencyNs);
  }

  /** An expert of `bytes` comes from a disk until `endNs`. Where others on their way leave no room, it is not kept. */
  keep(key: number, bytes: number, atNs: number, endNs: number): void {
    this.pages.arrive(key, bytes, atNs, endNs);
  }

  /** The same, and it is copied while it comes. Returns when that is done, ns. */
  fill(key: number, bytes: number, atNs: number, endNs: number): number {
    this.keep(key, bytes, atNs, endNs);
    return Math.max(endNs, this.copyOut(atNs));
  }

  /** An expert that it lacks is read from its disk, by a read that nobody waits for. Returns false if it has no room. */
  begin(key: number, bytes: number, atNs: number, read: () => DiskRead): boolean {
    if (!this.pages.arrive(key, bytes, atNs, Number.POSITIVE_INFINITY)) return false;
    this.ahead.set(key, { read: read(), wanted: 1 });
    return true;
  }

  /** One more wants an expert that it has, and does not wait for it. */
  want(key: number): void {
    this.hits++;
    this.pages.use(key);
    const ahead = this.ahead.get(key);
    if (ahead !== undefined) ahead.wanted++;
  }

  /** Nobody waits for a read that one less wants. Returns whether its disk will never read it. */
  giveUp(key: number, atNs: number): boolean {
    const ahead = this.ahead.get(key);
    if (ahead === undefined || --ahead.wanted > 0) return false;
    this.ahead.delete(key);
    ahead.read.giveUp(atNs);
    this.pages.withdraw(key);
    return true;
  }

  /** Somebody waits for an expert that it has. */
  hasten(key: number, atNs: number): void {
    const ahead = this.ahead.get(key);
    if (ahead !== undefined) this.ends(key, ahead.read.raise(atNs));
  }

  /** When an expert was there that it had or has, ns; Infinity while that is not known. */
  knownNs(key: number, atNs: number): number {
    const ahead = this.ahead.get(key);
    if (ahead === undefined) return this.has(key, atNs) ? this.pages.endNs(key) : atNs;
    const endNs = ahead.read.doneNs(atNs);
    if (endNs === Number.POSITIVE_INFINITY) return endNs;
    ahead.read.end(atNs);
    this.ends(key, endNs);
    return endNs;
  }

  private ends(key: number, endNs: number): void {
    this.ahead.delete(key);
    this.pages.ends(key, endNs);
  }

  private copyOut(atNs: number): number {
    return this.thread.demand(atNs, this.copy.threadNs, this.copy.bytes / 2);
  }
}
