import type { MilpProblem } from "./milp.ts";

/** Builds a {@link MilpProblem} column by column and row by row. */
export class MilpBuilder {
  readonly #cost: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];
  readonly #integer: number[] = [];
  readonly #rowLower: number[] = [];
  readonly #rowUpper: number[] = [];
  readonly #starts: number[] = [0];
  readonly #indices: number[] = [];
  readonly #values: number[] = [];

  /** A column that is 0 or 1; returns its index. */
  binary(cost = 0): number {
    return this.#column(cost, 0, 1, 1);
  }

  /** A column of any real value between two bounds; returns its index. */
  real(cost: number, lower: number, upper: number): number {
    return this.#column(cost, lower, upper, 0);
  }

  /** One more term of the row that {@link row} closes. */
  term(column: number, value: number): void {
    this.#indices.push(column);
    this.#values.push(value);
  }

  /** Closes a row: least <= sum of its terms <= most. */
  row(least: number, most: number): void {
    this.#rowLower.push(least);
    this.#rowUpper.push(most);
    this.#starts.push(this.#indices.length);
  }

  /** A row whole: least <= sum of column x value <= most. */
  rowOf(least: number, most: number, terms: Iterable<readonly [column: number, value: number]>): void {
    for (const [column, value] of terms) this.term(column, value);
    this.row(least, most);
  }

  build(): MilpProblem {
    return {
      columns: this.#cost.length,
      cost: Float64Array.from(this.#cost),
      lower: Float64Array.from(this.#lower),
      upper: Float64Array.from(this.#upper),
      integer: Uint8Array.from(this.#integer),
      rows: this.#rowLower.length,
      rowLower: Float64Array.from(this.#rowLower),
      rowUpper: Float64Array.from(this.#rowUpper),
      starts: Int32Array.from(this.#starts),
      indices: Int32Array.from(this.#indices),
      values: Float64Array.from(this.#values),
    };
  }

  #column(cost: number, lower: number, upper: number, integer: 0 | 1): number {
    this.#cost.push(cost);
    this.#lower.push(lower);
    this.#upper.push(upper);
    this.#integer.push(integer);
    return this.#cost.length - 1;
  }
}

/** [rows] the choice of each row of `choices` columns of 0 or 1, which a solver leaves near these. */
export const chosenIn = (values: Float64Array, rows: number, choices: number): Uint16Array =>
  Uint16Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * choices, (row + 1) * choices);
    return own.indexOf(Math.max(...own));
  });

/** What costs are divided by before a solver sees them: their scale is the user's, while solvers have absolute tolerances. */
export const unitOf = (costs: Float64Array): number => costs.reduce((most, cost) => Math.max(most, cost), 0) || 1;
