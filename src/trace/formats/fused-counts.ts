import { fusedMax } from "./recorded-layers.ts";

/** Layers of steps whose counts have to agree: two numbers may divide one another by chance. */
const rowsMin = 2;

/**
 * Finds shared experts that an engine fuses with the routed ones in counts: every token visits them, so that each counts as
 * many tokens as there are, and the routed ones before it top-k times as many in every layer and step.
 */
export class FusedCounts {
  readonly #experts: number;
  /** For each of the last columns, what the counts before it are of its own in all rows; null where rows differ. */
  readonly #multiples: (number | null)[] = [];
  #rows = 0;

  constructor(experts: number) {
    this.#experts = experts;
  }

  /** The counts of one layer in one step. */
  push(counts: Uint32Array): void {
    let before = 0;
    let largest = 0;
    const from = Math.max(0, this.#experts - fusedMax);
    for (let expert = 0; expert < from; expert++) {
      before += counts[expert]!;
      largest = Math.max(largest, counts[expert]!);
    }
    const own: (number | null)[] = [];
    for (let expert = from; expert < this.#experts; expert++) {
      const count = counts[expert]!;
      // As many from every expert are choices of all of them, or a recording that is balanced throughout.
      const isAll = count > 0 && count >= largest && before % count === 0 && before < count * expert;
      own.push(isAll && before > 0 ? before / count : null);
      before += count;
      largest = Math.max(largest, count);
    }
    // What no token visited says nothing.
    if (before === 0) return;
    for (const [i, multiple] of own.entries())
      if (this.#rows === 0) this.#multiples.push(multiple);
      else if (this.#multiples[i] !== multiple) this.#multiples[i] = null;
    this.#rows += 1;
  }

  /** How many of the last experts are shared ones, and the routed experts of a token; null without any. */
  finish(): { readonly fused: number; readonly topK: number } | null {
    if (this.#rows < rowsMin) return null;
    let fused = 0;
    let topK = 0;
    for (const multiple of [...this.#multiples].reverse()) {
      if (multiple === null || (fused > 0 && multiple !== topK - 1) || multiple < 1) break;
      topK = multiple;
      fused += 1;
    }
    return fused === 0 ? null : { fused, topK };
  }
}
