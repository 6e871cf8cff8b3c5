import { holds } from "../../core/errors.ts";
import type { Holding } from "./holding.ts";
import type { KvLayout } from "./kv-plan.ts";
import { PoolUse } from "./pool-use.ts";

const absent = -1;

/**
 * Prefix identity of the requests: request i holds blocks ids[offsets[i] .. offsets[i + 1]). Each has `blockTokens`
 * tokens, a multiple of the KV block.
 */
export interface PrefixIds {
  readonly blockTokens: number;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
}

/**
 * Paged caches of one data-parallel rank, the one account of their pools. Blocks are counted, not addressed. What a
 * request holds is a function of its tokens ({@link Holding}): private blocks and prefix blocks. Prefix blocks are
 * named by the trace's hash ids and shared by reference count. After their last user they stay cached until the space
 * is needed, least recently released first. Full caches are shared; windows and states belong to one request, and
 * blocks that left a window are given back as its next tokens are given room. Conservation in each pool: private +
 * shared in use + cached = occupied.
 */
export class KvBlocks {
  readonly layout: KvLayout;
  readonly main: PoolUse;
  /** The main pool, then those apart. */
  readonly pools: readonly PoolUse[];
  evicted = 0;
  /** [requests] a request's own blocks of full caches. */
  private readonly privateBlocks: Int32Array;
  private readonly holding: Holding;
  /** [pools][requests] blocks of windows and states; null where the pool has none. */
  private readonly passingBlocks: readonly (Int32Array | null)[];
  /** Whether any pool has blocks of windows or states. */
  private readonly passes: boolean;
  /** [requests] shared prefix blocks, at the head of the request's list. */
  private readonly sharedPrefix: Int32Array;
  /** [requests] KV blocks of those. */
  private readonly sharedBlocks: Int32Array;
  private readonly prefix: PrefixIds | null;
  /** [prefix blocks] requests that use the block; -1 where it is not resident. */
  private readonly references: Int32Array;
  /** [prefix blocks] KV blocks of the block, where resident. */
  private readonly sizes: Int32Array;
  private readonly older: Int32Array;
  private readonly newer: Int32Array;
  private oldest = -1;
  private newest = -1;

  constructor(layout: KvLayout, requests: number, prefix: PrefixIds | null) {
    this.layout = layout;
    this.main = new PoolUse(layout.main.capacity);
    this.pools = [this.main, ...layout.apart.map(({ capacity }) => new PoolUse(capacity))];
    this.privateBlocks = new Int32Array(requests);
    this.holding = layout.main.holding;
    this.passingBlocks = [layout.main, ...layout.apart].map(({ holding }) =>
      holding.passes ? new Int32Array(requests) : null,
    );
    this.passes = this.passingBlocks.some((held) => held !== null);
    this.sharedPrefix = new Int32Array(prefix === null ? 0 : requests);
    this.sharedBlocks = new Int32Array(prefix === null ? 0 : requests);
    this.prefix = prefix;
    let distinct = 0;
    if (prefix !== null) for (const id of prefix.ids) distinct = Math.max(distinct, id + 1);
    this.references = new Int32Array(distinct).fill(absent);
    this.sizes = new Int32Array(distinct);
    this.older = new Int32Array(distinct);
    this.newer = new Int32Array(distinct);
  }

  /** Prompt tokens of a request in resident blocks, from its start on; at most `tokens` - 1. */
  cachedTokens(request: number, tokens: number): number {
    const { prefix } = this;
    if (prefix === null) return 0;
    const first = prefix.offsets[request]!;
    const end = prefix.offsets[request + 1]!;
    let at = first;
    while (at < end && this.references[prefix.ids[at]!]! !== absent) at++;
    return Math.max(0, Math.min((at - first) * prefix.blockTokens, tokens - 1));
  }

  /** Takes references to the resident prefix blocks that cover `tokens` cached tokens. */
  shareCached(request: number, tokens: number): void {
    const { prefix } = this;
    if (prefix === null || tokens === 0) return;
    const first = prefix.offsets[request]!;
    const count = Math.ceil(tokens / prefix.blockTokens);
    for (let i = 0; i < count; i++) this.share(request, prefix.ids[first + i]!);
  }

  private share(request: number, id: number): void {
    if (this.references[id]!++ === 0) {
      this.unlink(id);
      this.main.cached -= this.sizes[id]!;
      this.main.used += this.sizes[id]!;
    }
    this.sharedPrefix[request]!++;
    this.sharedBlocks[request]! += this.sizes[id]!;
  }

  /**
   * Makes room for a request to hold `tokens` tokens in all; `computed` of them are in the cache. Returns false,
   * changing nothing, if even eviction of every released prefix leaves too little.
   */
  grow(request: number, computed: number, tokens: number): boolean {
    const { main } = this;
    const whole = Math.max(0, this.missingBlocks(request, tokens));
    if (this.passes && !this.growPassing(request, computed, tokens, whole)) return false;
    if (whole > 0) {
      if (main.used + whole > main.capacity) return false;
      while (main.capacity - main.used - main.cached < whole) this.evictOldest();
      this.privateBlocks[request]! += whole;
      main.give(whole);
    }
    if (main.used > main.peakUsed) main.peakUsed = main.used;
    return true;
  }

  /**
   * Gives and takes blocks of windows and states; returns false if they and `whole` blocks of full caches don't fit.
   */
  private growPassing(request: number, computed: number, tokens: number, whole: number): boolean {
    const { main } = this;
    if (whole + this.passingChange(0, request, computed, tokens) > main.available) return false;
    for (let p = 1; p < this.pools.length; p++)
      if (this.passingChange(p, request, computed, tokens) > this.pools[p]!.available) return false;
    for (let p = 0; p < this.pools.length; p++) {
      const held = this.passingBlocks[p]!;
      if (held === null) continue;
      const pool = this.pools[p]!;
      const change = this.passingChange(p, request, computed, tokens);
      while (pool.available - pool.cached < change) this.evictOldest();
      held[request]! += change;
      pool.give(change);
      if (p > 0 && pool.used > pool.peakUsed) pool.peakUsed = pool.used;
    }
    return true;
  }

  /** Blocks of full caches that a request lacks for `tokens` tokens. */
  lackedBlocks(request: number, tokens: number): number {
    return Math.max(0, this.missingBlocks(request, tokens));
  }

  /** Blocks of full caches that a request lacks for `tokens` tokens; negative where it has more than it needs. */
  private missingBlocks(request: number, tokens: number): number {
    const shared = this.prefix === null ? 0 : this.sharedBlocks[request]!;
    return this.holding.fullBlocks(tokens) - shared - this.privateBlocks[request]!;
  }

  private passingChange(pool: number, request: number, computed: number, tokens: number): number {
    const held = this.passingBlocks[pool]!;
    if (held === null) return 0;
    const { holding } = pool === 0 ? this.layout.main : this.layout.apart[pool - 1]!;
    return holding.passingBlocks(computed, tokens) - held[request]!;
  }

  /**
   * Whether a new request could compute `tokens` tokens in one step if every released prefix were evicted, and
   * `further` blocks of full caches were left.
   */
  hasRoomFor(tokens: number, further = 0): boolean {
    const { main, apart } = this.layout;
    const blocks = main.holding.fullBlocks(tokens) + main.holding.passingBlocks(0, tokens);
    if (blocks + further > this.main.available) return false;
    return apart.every(({ holding }, p) => holding.passingBlocks(0, tokens) <= this.pools[p + 1]!.available);
  }

  /** Publishes a request's blocks that are computed up to `tokens`, of `knownTokens` in all: others can share them. */
  publish(request: number, tokens: number, knownTokens: number): void {
    const { prefix, main, holding } = this;
    if (prefix === null) return;
    const first = prefix.offsets[request]!;
    const blocks = prefix.offsets[request + 1]! - first;
    for (let i = this.sharedPrefix[request]!; i < blocks; i++) {
      const start = i * prefix.blockTokens;
      const end = Math.min(start + prefix.blockTokens, knownTokens);
      if (end > tokens || end <= start) break;
      const id = prefix.ids[first + i]!;
      const needed = holding.fullBlocks(end) - holding.fullBlocks(start);
      const size = Math.min(needed, this.privateBlocks[request]!);
      if (size <= 0 && needed > 0) break;
      this.privateBlocks[request]! -= size;
      if (this.references[id] === absent) {
        this.sizes[id] = size;
        this.references[id] = 1;
        this.sharedPrefix[request]!++;
        this.sharedBlocks[request]! += size;
      } else {
        // The same content was computed twice at once: keep one copy.
        main.give(-size);
        this.share(request, id);
        main.peakUsed = Math.max(main.peakUsed, main.used);
      }
    }
  }

  /** Releases everything that a request holds. Shared blocks stay cached; of a prefix, the end is evicted first. */
  release(request: number): void {
    const { prefix, main } = this;
    main.give(-this.privateBlocks[request]!);
    this.privateBlocks[request] = 0;
    for (let p = 0; p < this.pools.length; p++) {
      const held = this.passingBlocks[p]!;
      if (held === null) continue;
      this.pools[p]!.give(-held[request]!);
      held[request] = 0;
    }
    if (prefix === null) return;
    const first = prefix.offsets[request]!;
    for (let i = this.sharedPrefix[request]! - 1; i >= 0; i--) {
      const id = prefix.ids[first + i]!;
      if (--this.references[id]! === 0) {
        main.used -= this.sizes[id]!;
        main.cached += this.sizes[id]!;
        this.linkNewest(id);
      }
    }
    this.sharedPrefix[request] = 0;
    this.sharedBlocks[request] = 0;
  }

  /** Evicts every released prefix. */
  forget(): void {
    while (this.oldest >= 0) this.evictOldest();
  }

  private evictOldest(): void {
    const { main } = this;
    const id = this.oldest;
    holds(id >= 0, "kv-block-conservation", () => `no cached block to evict: ${main.describe()}`);
    this.unlink(id);
    main.cached -= this.sizes[id]!;
    main.freed += this.sizes[id]!;
    this.evicted += this.sizes[id]!;
    this.sizes[id] = 0;
    this.references[id] = absent;
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

  describe(): string {
    return this.pools.map((pool) => pool.describe()).join("; ");
  }

  /** Conservation and capacity of every pool. */
  check(): void {
    for (let p = 0; p < this.pools.length; p++) this.pools[p]!.check();
  }
}
