import { holds } from "../core/errors.ts";

/**
 * Prefix identity of the requests: request i holds blocks ids[offsets[i] .. offsets[i + 1]) of `blockTokens` tokens, a
 * multiple of the KV block.
 */
export interface PrefixIds {
  readonly blockTokens: number;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
}

/**
 * Paged KV cache of one scheduling domain. Blocks are counted, not addressed: private blocks belong to one request;
 * prefix blocks (named by the trace's hash ids) are shared by reference count and stay cached after their last user
 * until the space is needed, least recently released first. Conservation: private + shared in use + cached = occupied.
 */
export class KvBlocks {
  readonly capacity: number;
  readonly blockTokens: number;
  /** Blocks held by running requests. */
  used = 0;
  /** Blocks of released prefixes that may be reused or evicted. */
  cached = 0;
  peakUsed = 0;
  allocated = 0;
  freed = 0;
  evicted = 0;
  private readonly privateBlocks: Int32Array;
  /** Prefix blocks at the head of each request's list that it shares. */
  private readonly sharedPrefix: Int32Array;
  private readonly prefix: PrefixIds | null;
  private readonly references: Int32Array;
  /** KV blocks of each resident prefix block; 0 when absent. */
  private readonly sizes: Int32Array;
  private readonly older: Int32Array;
  private readonly newer: Int32Array;
  private oldest = -1;
  private newest = -1;

  constructor(capacity: number, blockTokens: number, requests: number, prefix: PrefixIds | null) {
    this.capacity = capacity;
    this.blockTokens = blockTokens;
    this.privateBlocks = new Int32Array(requests);
    this.sharedPrefix = new Int32Array(prefix === null ? 0 : requests);
    this.prefix = prefix;
    let distinct = 0;
    if (prefix !== null) for (const id of prefix.ids) distinct = Math.max(distinct, id + 1);
    this.references = new Int32Array(distinct);
    this.sizes = new Int32Array(distinct);
    this.older = new Int32Array(distinct);
    this.newer = new Int32Array(distinct);
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.blockTokens);
  }

  /** Prompt tokens of a request whose blocks are resident, from its start; at most all but one of `tokens`. */
  cachedTokens(request: number, tokens: number): number {
    const { prefix } = this;
    if (prefix === null) return 0;
    const first = prefix.offsets[request]!;
    const end = prefix.offsets[request + 1]!;
    let at = first;
    while (at < end && this.sizes[prefix.ids[at]!]! > 0) at++;
    return Math.max(0, Math.min((at - first) * prefix.blockTokens, tokens - 1));
  }

  /** Takes references to the resident prefix blocks that cover `tokens` cached tokens. */
  shareCached(request: number, tokens: number): void {
    const { prefix } = this;
    if (prefix === null || tokens === 0) return;
    const first = prefix.offsets[request]!;
    const count = Math.ceil(tokens / prefix.blockTokens);
    for (let i = 0; i < count; i++) this.reference(prefix.ids[first + i]!);
    this.sharedPrefix[request] = count;
  }

  private reference(id: number): void {
    if (this.references[id]!++ === 0) {
      this.unlink(id);
      this.cached -= this.sizes[id]!;
      this.used += this.sizes[id]!;
    }
  }

  /**
   * Makes room for a request to hold `tokens` tokens in all. Returns false, changing nothing, if even eviction of every
   * released prefix leaves too little.
   */
  grow(request: number, tokens: number): boolean {
    const extra = this.blocksFor(Math.max(0, tokens - this.sharedTokens(request))) - this.privateBlocks[request]!;
    if (extra > 0) {
      if (this.used + extra > this.capacity) return false;
      while (this.capacity - this.used - this.cached < extra) this.evictOldest();
      this.privateBlocks[request]! += extra;
      this.used += extra;
      this.allocated += extra;
    }
    this.peakUsed = Math.max(this.peakUsed, this.used);
    return true;
  }

  /** Tokens that the shared blocks of a request have room for; the last one may be shorter than a prefix block. */
  private sharedTokens(request: number): number {
    const { prefix } = this;
    if (prefix === null) return 0;
    const shared = this.sharedPrefix[request]!;
    if (shared === 0) return 0;
    const last = this.sizes[prefix.ids[prefix.offsets[request]! + shared - 1]!]! * this.blockTokens;
    return (shared - 1) * prefix.blockTokens + Math.min(prefix.blockTokens, last);
  }

  /** Blocks a request could still be given, evicting every released prefix. */
  get available(): number {
    return this.capacity - this.used;
  }

  /** Publishes the prompt blocks of a request that are computed up to `tokens`, so that others can share them. */
  publish(request: number, tokens: number, promptTokens: number): void {
    const { prefix } = this;
    if (prefix === null) return;
    const first = prefix.offsets[request]!;
    const blocks = prefix.offsets[request + 1]! - first;
    for (let i = this.sharedPrefix[request]!; i < blocks; i++) {
      const end = Math.min((i + 1) * prefix.blockTokens, promptTokens);
      if (end > tokens) break;
      const id = prefix.ids[first + i]!;
      const size = Math.min(this.blocksFor(end - i * prefix.blockTokens), this.privateBlocks[request]!);
      if (size <= 0) break;
      if (this.sizes[id] === 0) {
        this.sizes[id] = size;
        this.references[id] = 1;
        this.privateBlocks[request]! -= size;
      } else {
        // The same content was computed twice at once: keep one copy.
        this.privateBlocks[request]! -= size;
        this.used -= size;
        this.freed += size;
        this.reference(id);
        this.peakUsed = Math.max(this.peakUsed, this.used);
      }
      this.sharedPrefix[request]!++;
    }
  }

  /** Releases everything a request holds; its shared blocks stay cached, the end of the prefix going first. */
  release(request: number): void {
    const own = this.privateBlocks[request]!;
    this.used -= own;
    this.freed += own;
    this.privateBlocks[request] = 0;
    const { prefix } = this;
    if (prefix === null) return;
    const first = prefix.offsets[request]!;
    for (let i = this.sharedPrefix[request]! - 1; i >= 0; i--) {
      const id = prefix.ids[first + i]!;
      if (--this.references[id]! === 0) {
        this.used -= this.sizes[id]!;
        this.cached += this.sizes[id]!;
        this.linkNewest(id);
      }
    }
    this.sharedPrefix[request] = 0;
  }

  private evictOldest(): void {
    const id = this.oldest;
    holds(id >= 0, "kv-block-conservation", () => `no cached block to evict: ${this.describe()}`);
    this.unlink(id);
    this.cached -= this.sizes[id]!;
    this.freed += this.sizes[id]!;
    this.evicted += this.sizes[id]!;
    this.sizes[id] = 0;
  }

  private linkNewest(id: number): void {
    this.older[id] = this.newest;
    this.newer[id] = -1;
    if (this.newest >= 0) this.newer[this.newest] = id;
    else this.oldest = id;
    this.newest = id;
  }

  private unlink(id: number): void {
    const older = this.older[id]!;
    const newer = this.newer[id]!;
    if (older >= 0) this.newer[older] = newer;
    else this.oldest = newer;
    if (newer >= 0) this.older[newer] = older;
    else this.newest = older;
  }

  /** Blocks allocated = freed + resident, and nothing exceeds the capacity. */
  check(): void {
    holds(
      this.allocated === this.freed + this.used + this.cached && this.used >= 0 && this.cached >= 0,
      "kv-block-conservation",
      () => this.describe(),
    );
    holds(this.used + this.cached <= this.capacity, "kv-capacity", () => this.describe());
  }

  private describe(): string {
    return (
      `allocated ${this.allocated}, freed ${this.freed}, used ${this.used}, ` +
      `cached ${this.cached}, capacity ${this.capacity}`
    );
  }
}
