/** Experts of a model as the matrix [layers x experts] that records one request or one pass: entry l * experts + e. */
export interface ActivationShape {
  readonly layers: number;
  readonly expertsPerLayer: number;
}

/**
 * Which entry of a full store a newcomer replaces: the one that matched least often since it came (ties to the oldest place), the
 * one most similar by the mean of the layers' cosines, or the one whose whole matrix has the highest cosine.
 */
export type Replacement = "least-matched" | "most-similar" | "nearest-trajectory";

/**
 * A bounded collection of activation matrices of the past: how often, or with which weight, experts were used together. Entries
 * are addressed by place, 0 to size - 1. A {@link RunningMatch} compares what is observed now with all of them.
 */
export class ActivationStore {
  readonly shape: ActivationShape;
  readonly capacity: number;
  readonly #replacement: Replacement;
  readonly #entries: Float32Array[] = [];
  /** [layers] squared norm of every row of an entry, by place. */
  readonly #squares: Float64Array[] = [];
  readonly #matches: number[] = [];
  readonly #changedAt: number[] = [];
  #inserted = 0;

  constructor(shape: ActivationShape, capacity: number, replacement: Replacement) {
    this.shape = shape;
    this.capacity = capacity;
    this.#replacement = replacement;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Matrices inserted so far, for who has to notice that an entry changed. */
  get inserted(): number {
    return this.#inserted;
  }

  /** The value of `inserted` when the entry at this place came. */
  changedAt(place: number): number {
    return this.#changedAt[place]!;
  }

  /** [layers x experts] the entry at this place; not to be written to. */
  entry(place: number): Float32Array {
    return this.#entries[place]!;
  }

  /** Squared norm of the row of a layer. */
  squares(place: number, layer: number): number {
    return this.#squares[place]![layer]!;
  }

  /** An entry was matched: counts for `least-matched`. */
  matched(place: number): void {
    this.#matches[place]!++;
  }

  /** Keeps a copy of a matrix [layers x experts]; returns its place. A store without room keeps nothing and returns -1. */
  insert(matrix: ArrayLike<number>): number {
    if (this.capacity < 1) return -1;
    const entry = Float32Array.from(matrix);
    const place = this.size < this.capacity ? this.size : this.#toReplace(entry);
    this.#entries[place] = entry;
    this.#squares[place] = rowSquares(entry, this.shape);
    this.#matches[place] = 0;
    this.#changedAt[place] = ++this.#inserted;
    return place;
  }

  #toReplace(newcomer: Float32Array): number {
    const { layers, expertsPerLayer } = this.shape;
    const squares = rowSquares(newcomer, this.shape);
    const worth = (place: number): number => {
      if (this.#replacement === "least-matched") return -this.#matches[place]!;
      const entry = this.#entries[place]!;
      const rows = this.#squares[place]!;
      let cosines = 0;
      let dots = 0;
      let here = 0;
      let there = 0;
      for (let layer = 0; layer < layers; layer++) {
        let dot = 0;
        for (let at = layer * expertsPerLayer; at < (layer + 1) * expertsPerLayer; at++)
          dot += newcomer[at]! * entry[at]!;
        cosines += cosine(dot, squares[layer]!, rows[layer]!);
        dots += dot;
        here += squares[layer]!;
        there += rows[layer]!;
      }
      return this.#replacement === "most-similar" ? cosines / layers : cosine(dots, here, there);
    };
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < this.size; place++) {
      const found = worth(place);
      if (found > most) {
        most = found;
        best = place;
      }
    }
    return best;
  }
}

/** Cosine of two vectors from their product and their squared norms; 0 where one of them is zero. */
export const cosine = (dot: number, a: number, b: number): number =>
  a === 0 || b === 0 ? 0 : dot / (Math.sqrt(a) * Math.sqrt(b));

function rowSquares(matrix: ArrayLike<number>, { layers, expertsPerLayer }: ActivationShape): Float64Array {
  const squares = new Float64Array(layers);
  for (let at = 0; at < layers * expertsPerLayer; at++)
    squares[Math.floor(at / expertsPerLayer)]! += matrix[at]! * matrix[at]!;
  return squares;
}
