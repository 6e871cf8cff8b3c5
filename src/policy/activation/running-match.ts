import { type ActivationStore, cosine } from "./activation-store.ts";

/** The entry of a store that is most similar to what was observed, and how similar it is: a cosine, or a mean of cosines. */
export interface Match {
  readonly place: number;
  readonly similarity: number;
}

/**
 * Compares one matrix, observed expert by expert, with every entry of a store. The products with the entries are kept up to date,
 * so an observation costs one step per entry and a match one per entry and layer, however many experts there are. Entries that the
 * store replaces meanwhile are noticed.
 */
export class RunningMatch {
  readonly #store: ActivationStore;
  readonly #observed: Float64Array;
  /** [layers] squared norm of each observed row. */
  readonly #squares: Float64Array;
  /** [places x layers] products of the observed rows with those of each entry, as far as there are entries. */
  readonly #dots: Float64Array[] = [];
  #seen = 0;

  constructor(store: ActivationStore) {
    const { layers, expertsPerLayer } = store.shape;
    this.#store = store;
    this.#observed = new Float64Array(layers * expertsPerLayer);
    this.#squares = new Float64Array(layers);
  }

  /** [layers x experts] what was observed since the last `clear`; not to be written to. */
  get observed(): Float64Array {
    return this.#observed;
  }

  /** Nothing is observed yet. */
  clear(): void {
    this.#observed.fill(0);
    this.#squares.fill(0);
    for (const dots of this.#dots) dots.fill(0);
  }

  /** Adds `amount` to the expert with key layer * expertsPerLayer + expert. */
  add(key: number, amount: number): void {
    this.#update();
    const layer = (key / this.#store.shape.expertsPerLayer) | 0;
    const before = this.#observed[key]!;
    this.#observed[key] = before + amount;
    this.#squares[layer]! += amount * (2 * before + amount);
    for (let place = 0; place < this.#dots.length; place++)
      this.#dots[place]![layer]! += amount * this.#store.entry(place)[key]!;
  }

  /** Mean cosine of the rows of layers [from, to) with those of an entry; a row of zeros has cosine 0. */
  layerwise(place: number, from: number, to: number): number {
    this.#update();
    const dots = this.#dots[place]!;
    let sum = 0;
    for (let layer = from; layer < to; layer++)
      sum += cosine(dots[layer]!, this.#squares[layer]!, this.#store.squares(place, layer));
    return to > from ? sum / (to - from) : 0;
  }

  /** Cosine of all rows of layers [0, to), as one vector, with those of an entry: the trajectory so far. */
  trajectory(place: number, to: number): number {
    this.#update();
    const dots = this.#dots[place]!;
    let dot = 0;
    let here = 0;
    let there = 0;
    for (let layer = 0; layer < to; layer++) {
      dot += dots[layer]!;
      here += this.#squares[layer]!;
      there += this.#store.squares(place, layer);
    }
    return cosine(dot, here, there);
  }

  /** The best match by layers [from, to), ties to the lowest place; null from an empty store. Counts as a match of it. */
  bestLayerwise(from: number, to: number): Match | null {
    return this.#best((place) => this.layerwise(place, from, to));
  }

  /** The best match by the trajectory of layers [0, to), ties to the lowest place; null from an empty store. Counts too. */
  bestTrajectory(to: number): Match | null {
    return this.#best((place) => this.trajectory(place, to));
  }

  #best(similarityOf: (place: number) => number): Match | null {
    let best: Match | null = null;
    for (let place = 0; place < this.#store.size; place++) {
      const similarity = similarityOf(place);
      if (best === null || similarity > best.similarity) best = { place, similarity };
    }
    if (best !== null) this.#store.matched(best.place);
    return best;
  }

  /** Products with entries that came since the last look. */
  #update(): void {
    const store = this.#store;
    if (store.inserted === this.#seen) return;
    const { layers, expertsPerLayer } = store.shape;
    for (let place = 0; place < store.size; place++) {
      if (place < this.#dots.length && store.changedAt(place) <= this.#seen) continue;
      const entry = store.entry(place);
      const dots = new Float64Array(layers);
      for (let layer = 0; layer < layers; layer++)
        for (let at = layer * expertsPerLayer; at < (layer + 1) * expertsPerLayer; at++)
          dots[layer]! += this.#observed[at]! * entry[at]!;
      this.#dots[place] = dots;
    }
    this.#seen = store.inserted;
  }
}
