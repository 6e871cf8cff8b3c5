import type { Guesses } from "./guesses.ts";
import type { PrefetchContext, PrefetchedCache } from "./prefetcher.ts";

/**
 * Guesses of all layers ahead in one order, that of descending priority: systems with one queue for all layers load a certain expert
 * of a far layer before a doubtful one of the next. Of each layer as many are taken as the run follows.
 */
export class PriorityGuesses {
  readonly #context: PrefetchContext;
  readonly #held: Uint8Array | null;
  readonly #keys: Uint32Array;
  readonly #priorities: Float64Array;
  #count = 0;

  constructor(context: PrefetchContext, { held }: PrefetchedCache) {
    this.#context = context;
    this.#held = held;
    const room = Math.min(context.distance, context.layers) * context.experts;
    this.#keys = new Uint32Array(room);
    this.#priorities = new Float64Array(room);
  }

  /** Adds the experts of a layer whose share of shares[from .. from + experts) is above 0, with the share x `weight`. */
  addLayer(shares: Float32Array, from: number, layer: number, weight: number): void {
    const { experts, budget } = this.#context;
    const base = layer * experts;
    const first = this.#count;
    for (let expert = 0; expert < experts; expert++) {
      const priority = shares[from + expert]! * weight;
      if (!(priority > 0) || (this.#held !== null && this.#held[base + expert] !== 1)) continue;
      if (this.#count - first < budget) this.#count++;
      else if (this.#priorities[this.#count - 1]! >= priority) continue;
      this.#sink(this.#count - 1, first, base + expert, priority);
    }
  }

  /** Hands over all guesses, and forgets them. */
  flush(out: Guesses): void {
    for (let i = 1; i < this.#count; i++) this.#sink(i, 0, this.#keys[i]!, this.#priorities[i]!);
    for (let i = 0; i < this.#count; i++) out.add(this.#keys[i]!);
    this.#count = 0;
  }

  /** Puts a guess into the ordered places [first, at], of which the last is free; behind those of equal priority. */
  #sink(at: number, first: number, key: number, priority: number): void {
    let place = at;
    for (; place > first && this.#priorities[place - 1]! < priority; place--) {
      this.#priorities[place] = this.#priorities[place - 1]!;
      this.#keys[place] = this.#keys[place - 1]!;
    }
    this.#priorities[place] = priority;
    this.#keys[place] = key;
  }
}
