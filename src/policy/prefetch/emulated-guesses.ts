import { RandomStream } from "../../core/random.ts";
import type { Guesses } from "./guesses.ts";
import type { PrefetchContext, PrefetchedCache, PrefetchStep } from "./prefetcher.ts";

/** How often a predictor that is emulated is right and wrong. */
export interface GuessRates {
  /** Probability with which each expert that is asked for is guessed. */
  readonly recall: number;
  /** Probability with which each of the `others` is guessed where `asked` experts are asked for. */
  wrong(asked: number, others: number): number;
}

/**
 * Rates with a given precision: as many wrong guesses are expected as make the right ones that share of all. Where fewer experts
 * are left than that, all of them are guessed. A predictor that is never right guesses as many as are asked for.
 */
export const ratesOf = (recall: number, precision: number): GuessRates => ({
  recall,
  wrong: (asked, others) => {
    const wrong = recall === 0 ? asked : (asked * recall * (1 - precision)) / precision;
    return wrong >= others ? 1 : wrong / others;
  },
});

/**
 * Guesses of a predictor that is emulated. Whether an expert is guessed depends on a draw of its own, by step, layer and expert
 * alone: it does not change with the policy of the cache, and what is guessed from afar is guessed from near by where that is
 * no less certain. Wrong guesses are spread evenly over the experts that are not asked for. They stand at drawn places between the
 * right ones, which are in the order in which they are met, so a budget cuts both alike.
 */
export class EmulatedGuesses {
  readonly #layers: number;
  readonly #experts: number;
  readonly #held: Uint8Array | null;
  readonly #draws: RandomStream;
  readonly #asked: Uint32Array;
  readonly #isAsked: Uint8Array;
  /** Wrong guesses with their places, 0 to 1, in order of place. */
  readonly #wrong: Uint32Array;
  readonly #places: Float64Array;
  #steps = 0;

  constructor({ layers, experts, seed }: PrefetchContext, { index, held }: PrefetchedCache) {
    this.#layers = layers;
    this.#experts = experts;
    this.#held = held;
    this.#draws = new RandomStream(seed, "prefetch").fork(String(index));
    this.#asked = new Uint32Array(experts);
    this.#isAsked = new Uint8Array(experts);
    this.#wrong = new Uint32Array(experts);
    this.#places = new Float64Array(experts);
  }

  stepStarts(): void {
    this.#steps++;
  }

  guess(step: PrefetchStep, layer: number, rates: GuessRates, out: Guesses): void {
    const asked = this.#asked;
    const count = step.choices(layer, asked);
    if (count === 0) return;
    const base = layer * this.#experts;
    const draw = (this.#steps * this.#layers + layer) * this.#experts;
    this.#isAsked.fill(0);
    for (let i = 0; i < count; i++) this.#isAsked[asked[i]! % this.#experts] = 1;
    const wrong = this.#drawWrong(base, draw, rates.wrong(count, this.#othersOf(base)));
    let next = 0;
    for (let i = 0; i < count; i++) {
      for (; next < wrong && this.#places[next]! * count < i + 0.5; next++) out.add(base + this.#wrong[next]!);
      const expert = asked[i]! % this.#experts;
      if (this.#draws.at(draw + expert) < rates.recall) out.add(base + expert);
    }
    for (; next < wrong; next++) out.add(base + this.#wrong[next]!);
  }

  #othersOf(base: number): number {
    let others = 0;
    for (let expert = 0; expert < this.#experts; expert++) if (this.#mayBeWrong(base, expert)) others++;
    return others;
  }

  #mayBeWrong(base: number, expert: number): boolean {
    return this.#isAsked[expert] === 0 && (this.#held === null || this.#held[base + expert] === 1);
  }

  /** Draws the wrong guesses, each with `probability`; returns how many. */
  #drawWrong(base: number, draw: number, probability: number): number {
    if (probability === 0) return 0;
    let count = 0;
    for (let expert = 0; expert < this.#experts; expert++) {
      if (!this.#mayBeWrong(base, expert)) continue;
      const drawn = this.#draws.at(draw + expert);
      if (drawn >= probability) continue;
      const place = drawn / probability;
      let at = count++;
      for (; at > 0 && this.#places[at - 1]! > place; at--) {
        this.#places[at] = this.#places[at - 1]!;
        this.#wrong[at] = this.#wrong[at - 1]!;
      }
      this.#places[at] = place;
      this.#wrong[at] = expert;
    }
    return count;
  }
}
