import type { Guesses } from "./guesses.ts";
import type { PrefetchContext, PrefetchedCache } from "./prefetcher.ts";

/** The experts of a layer with the highest scores, as many as the run follows. Keeps its room between calls. */
export class TopGuesses {
  readonly #experts: number;
  readonly #held: Uint8Array | null;
  /** The best so far, best first. */
  readonly #best: Uint32Array;

  constructor({ experts, budget }: Pick<PrefetchContext, "experts" | "budget">, { held }: PrefetchedCache) {
    this.#experts = experts;
    this.#held = held;
    this.#best = new Uint32Array(Math.min(budget, experts));
  }

  /** Adds the experts with the highest of scores[0 .. experts) above 0, ties to the lower id, that the cache serves. */
  add(scores: Float64Array | Float32Array, layer: number, out: Guesses): void {
    const best = this.#best;
    const held = this.#held;
    const base = layer * this.#experts;
    let count = 0;
    for (let expert = 0; expert < this.#experts; expert++) {
      const score = scores[expert]!;
      if (!(score > 0) || (held !== null && held[base + expert] !== 1)) continue;
      if (count === best.length && (count === 0 || scores[best[count - 1]!]! >= score)) continue;
      let at = count < best.length ? count++ : count - 1;
      for (; at > 0 && scores[best[at - 1]!]! < score; at--) best[at] = best[at - 1]!;
      best[at] = expert;
    }
    for (let i = 0; i < count; i++) out.add(base + best[i]!);
  }
}
