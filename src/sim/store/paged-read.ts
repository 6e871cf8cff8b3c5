import { chunksOf, copyInBackground } from "./background-copy.ts";
import type { PageCache } from "./page-cache.ts";
import type { DiskRead, ReadAhead } from "./read-ahead.ts";

/** An expert is copied out of the page cache, beside the read of its disk where it was not there. */
export class PagedRead implements ReadAhead {
  private readonly pages: PageCache;
  private readonly key: number;
  /** The read of its disk that brings the page, where it is on its way; of one that is not kept, its own. */
  private readonly comes: boolean;
  private readonly own: DiskRead | null;
  private readonly threadId: number;
  /** The copy by memory; null where it is copied as it comes. */
  private readonly memoryId: number | null;
  private pageNs = Number.POSITIVE_INFINITY;

  /** `disk`: reads the page, which nobody has asked for yet; null where it is there or on its way. */
  constructor(
    pages: PageCache,
    key: number,
    atNs: number,
    disk: (() => DiskRead) | null,
    bytes: number,
    priority: number,
  ) {
    this.pages = pages;
    this.key = key;
    const { copy, thread } = pages;
    const there = disk === null && !pages.comes(key, atNs);
    const kept = disk !== null && pages.begin(key, bytes, atNs, disk);
    if (disk === null) pages.want(key);
    this.comes = kept || (disk === null && !there);
    this.own = disk === null || kept ? null : disk();
    this.threadId = thread.submit(atNs, 1, copy.threadNs, copy.bytes / 2, priority);
    this.memoryId = there ? copyInBackground(copy.memory, atNs, copy.memoryNs, copy.bytes, priority) : null;
  }

  doneNs(atNs: number): number {
    const { pages, memoryId } = this;
    const { copy, thread } = pages;
    const memoryNs = memoryId === null ? 0 : copy.memory.doneNs(atNs, memoryId) + copy.latencyNs;
    return Math.max(thread.doneNs(atNs, this.threadId), memoryNs, this.readNs(atNs));
  }

  raise(atNs: number): number {
    const { pages, memoryId } = this;
    const { copy, thread } = pages;
    if (this.comes) pages.hasten(this.key, atNs);
    const ownNs = this.own?.raise(atNs) ?? 0;
    const pageNs = this.comes ? this.readNs(atNs) : 0;
    const threadNs = thread.raise(atNs, this.threadId);
    if (memoryId === null) return Math.max(threadNs, ownNs, pageNs);
    pages.copiedBytes += copy.bytes;
    return Math.max(threadNs, copy.memory.raise(atNs, memoryId) + copy.latencyNs);
  }

  end(atNs: number): void {
    this.own?.end(atNs);
    this.endCopy(atNs);
  }

  giveUp(atNs: number): boolean {
    this.readNs(atNs);
    this.endCopy(atNs);
    if (this.own !== null) return this.own.giveUp(atNs);
    return this.comes && this.pageNs === Number.POSITIVE_INFINITY && this.pages.giveUp(this.key, atNs);
  }

  /** When the file is read, ns; 0 where it was, and Infinity while that is not known. */
  private readNs(atNs: number): number {
    if (this.own !== null) return this.own.doneNs(atNs);
    if (!this.comes) return 0;
    if (this.pageNs === Number.POSITIVE_INFINITY) this.pageNs = this.pages.knownNs(this.key, atNs);
    return this.pageNs;
  }

  private endCopy(atNs: number): void {
    const { copy, thread } = this.pages;
    thread.cancel(atNs, this.threadId);
    if (this.memoryId === null) return;
    const left = copy.memory.cancel(atNs, this.memoryId);
    const chunks = chunksOf(copy.bytes);
    this.pages.copiedBytes += ((chunks - left) / chunks) * copy.bytes;
  }
}
