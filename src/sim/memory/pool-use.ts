import { holds } from "../../core/errors.ts";

/** Blocks in use of one pool. */
export class PoolUse {
  readonly capacity: number;
  /** Blocks held by running requests. */
  used = 0;
  /** Blocks of released prefixes that may be reused or evicted. */
  cached = 0;
  peakUsed = 0;
  allocated = 0;
  freed = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Blocks that a request could still be given if every released prefix were evicted. */
  get available(): number {
    return this.capacity - this.used;
  }

  /** Gives a request more blocks; takes some back where `blocks` is negative. */
  give(blocks: number): void {
    this.used += blocks;
    if (blocks > 0) this.allocated += blocks;
    else this.freed -= blocks;
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

  describe(): string {
    return (
      `allocated ${this.allocated}, freed ${this.freed}, used ${this.used}, ` +
      `cached ${this.cached}, capacity ${this.capacity}`
    );
  }
}
