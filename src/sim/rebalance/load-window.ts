import { idsPerLayer } from "../../trace/routing-table.ts";

/** Sums that a window is kept in, at most. */
const blocksMax = 32;

/**
 * Tokens of each expert over the latest forward passes of a replica, by layer that holds experts. A window is kept as a ring of at
 * most 32 sums: it is exact up to 32 passes, and of a longer one the oldest sum is given up as a whole.
 */
export class LoadWindow {
  readonly experts: number;
  /** [layers that hold experts] recorded layers that it replays: its own, and those of further visits of its experts. */
  private readonly replayed: readonly (readonly number[])[];
  /** [blocks][layers x experts] */
  private readonly blocks: readonly Float64Array[];
  private readonly passesPerBlock: number;
  private block = 0;
  private passes = 0;

  /** @param windowPasses null: all passes since a layer was cleared */
  constructor(experts: number, replayed: readonly (readonly number[])[], windowPasses: number | null) {
    this.experts = experts;
    this.replayed = replayed;
    this.passesPerBlock = windowPasses === null ? Number.POSITIVE_INFINITY : Math.ceil(windowPasses / blocksMax);
    const blocks = windowPasses === null ? 1 : Math.ceil(windowPasses / this.passesPerBlock);
    this.blocks = Array.from({ length: blocks }, () => new Float64Array(replayed.length * experts));
  }

  /** Adds a pass: its tokens per recorded layer and expert, [recorded layers][experts + 1]. */
  add(counts: Uint32Array): void {
    if (this.passes === this.passesPerBlock) {
      this.block = (this.block + 1) % this.blocks.length;
      this.blocks[this.block]!.fill(0);
      this.passes = 0;
    }
    this.passes++;
    const { experts, replayed } = this;
    const sums = this.blocks[this.block]!;
    for (let layer = 0; layer < replayed.length; layer++) {
      const own = replayed[layer]!;
      const at = layer * experts;
      for (let visit = 0; visit < own.length; visit++) {
        const from = own[visit]! * idsPerLayer(this);
        for (let expert = 0; expert < experts; expert++) sums[at + expert]! += counts[from + expert]!;
      }
    }
  }

  /** [layers asked for][experts] tokens over the window. */
  loads(layers: readonly number[]): Float64Array {
    const sums = new Float64Array(layers.length * this.experts);
    for (const block of this.blocks) this.copy(block, layers, (at, tokens) => (sums[at]! += tokens));
    return sums;
  }

  /** [stretches][layers asked for][experts] the same by stretch of time, the earliest first. */
  stretches(layers: readonly number[]): Float64Array[] {
    return this.blocks.map((_, age) => {
      const sums = new Float64Array(layers.length * this.experts);
      const block = this.blocks[(this.block + 1 + age) % this.blocks.length]!;
      this.copy(block, layers, (at, tokens) => (sums[at] = tokens));
      return sums;
    });
  }

  /** Forgets the loads of some layers. */
  clear(layers: readonly number[]): void {
    const { experts } = this;
    for (const block of this.blocks) for (const layer of layers) block.fill(0, layer * experts, (layer + 1) * experts);
  }

  private copy(block: Float64Array, layers: readonly number[], put: (at: number, tokens: number) => void): void {
    const { experts } = this;
    for (const [i, layer] of layers.entries())
      for (let expert = 0; expert < experts; expert++) put(i * experts + expert, block[layer * experts + expert]!);
  }
}
