/** Limits on two costs of an assignment whose sum is least, at which every row still has a column of its own. */
export interface Thresholds {
  readonly first: number;
  readonly second: number;
}

/**
 * Rows to columns so that the largest of one cost plus the largest of another is least. Exact: the limit of the first falls from value to
 * value while that of the second rises as little as a matching needs; both go one way, so there are at most 2 n^2 augmenting paths.
 * @param first, second [n][n] costs, at least 0
 */
export function leastThresholds(first: Float64Array, second: Float64Array, n: number): Thresholds {
  const falling = Float64Array.from(new Set(first)).sort().reverse();
  const rising = Float64Array.from(new Set(second)).sort();
  const matching = new Matching(first, second, n);
  const least = necessary(first, n);
  let raise = rising.indexOf(necessary(second, n));
  let best: Thresholds = { first: Infinity, second: Infinity };
  for (const limit of falling) {
    if (limit < least) break;
    matching.limit(limit, rising[raise]!);
    while (!matching.complete()) {
      raise += 1;
      if (raise === rising.length) return best;
      matching.limit(limit, rising[raise]!);
    }
    if (limit + rising[raise]! < best.first + best.second) best = { first: limit, second: rising[raise]! };
    if (least + rising[raise]! >= best.first + best.second) break;
  }
  return best;
}

/** Every row and every column has a cost of at least its smallest. */
function necessary(cost: Float64Array, n: number): number {
  let least = 0;
  for (let line = 0; line < n; line++) {
    let [row, column] = [Infinity, Infinity];
    for (let at = 0; at < n; at++) {
      row = Math.min(row, cost[line * n + at]!);
      column = Math.min(column, cost[at * n + line]!);
    }
    least = Math.max(least, row, column);
  }
  return least;
}

/** A matching of rows and columns whose costs keep two limits, kept while the limits move. */
class Matching {
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  readonly #n: number;
  readonly #columnOf: Int32Array;
  readonly #rowOf: Int32Array;
  readonly #seen: Uint8Array;
  #limits: Thresholds = { first: Infinity, second: Infinity };

  constructor(first: Float64Array, second: Float64Array, n: number) {
    this.#first = first;
    this.#second = second;
    this.#n = n;
    this.#columnOf = new Int32Array(n).fill(-1);
    this.#rowOf = new Int32Array(n).fill(-1);
    this.#seen = new Uint8Array(n);
  }

  /** Drops what is above the limits. */
  limit(first: number, second: number): void {
    this.#limits = { first, second };
    for (const [row, column] of this.#columnOf.entries())
      if (column >= 0 && !this.#allowed(row, column)) {
        this.#columnOf[row] = -1;
        this.#rowOf[column] = -1;
      }
  }

  /** Matches every row, or says that not all can be. */
  complete(): boolean {
    for (let row = 0; row < this.#n; row++) {
      if (this.#columnOf[row]! >= 0) continue;
      this.#seen.fill(0);
      if (!this.#augment(row)) return false;
    }
    return true;
  }

  #allowed(row: number, column: number): boolean {
    const at = row * this.#n + column;
    return this.#first[at]! <= this.#limits.first && this.#second[at]! <= this.#limits.second;
  }

  #augment(row: number): boolean {
    for (let column = 0; column < this.#n; column++) {
      if (this.#seen[column] === 1 || !this.#allowed(row, column)) continue;
      this.#seen[column] = 1;
      const other = this.#rowOf[column]!;
      if (other >= 0 && !this.#augment(other)) continue;
      this.#rowOf[column] = row;
      this.#columnOf[row] = column;
      return true;
    }
    return false;
  }
}
