import type { Problem } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";

import type { ProblemList } from "../measured/problem-list.ts";

/** A table of measured kernels with named columns. A cell that cannot be read becomes a problem and reads as null. */
export class KernelTable {
  readonly file: string;
  readonly columns: ReadonlySet<string>;
  readonly length: number;
  readonly #rows: readonly Readonly<Record<string, unknown>>[];
  readonly #problems: ProblemList;

  constructor(file: string, rows: readonly Readonly<Record<string, unknown>>[], problems: ProblemList) {
    this.file = file;
    this.columns = new Set(Object.keys(rows[0] ?? {}));
    this.length = rows.length;
    this.#rows = rows;
    this.#problems = problems;
  }

  /** The same rows under another reader of problems. */
  has(column: string): boolean {
    return this.columns.has(column);
  }

  /** Text of a cell, trimmed; rows count from 0. */
  text(row: number, column: string): string | null {
    const value = this.#rows[row]?.[column];
    if (typeof value === "string" && value.trim() !== "") return printable(value.trim());
    return this.wrong(row, column, "text", value);
  }

  /** A finite number > 0. */
  positive(row: number, column: string): number | null {
    const value = this.#number(row, column);
    return Number.isFinite(value) && value > 0 ? value : this.wrong(row, column, "a number above 0", value);
  }

  /** An integer >= 0. */
  count(row: number, column: string): number | null {
    const value = this.#number(row, column);
    return Number.isSafeInteger(value) && value >= 0
      ? value
      : this.wrong(row, column, "an integer of at least 0", value);
  }

  /** Notes what is wrong with a cell. */
  wrong(row: number, column: string, expected: string, found: unknown, hint?: string): null {
    const problem: Problem = { at: `row ${row + 1}, ${column}`, expected, found: numberOf(found) ?? found };
    return this.#problems.add(hint === undefined ? problem : { ...problem, hint });
  }

  #number(row: number, column: string): number {
    return numberOf(this.#rows[row]?.[column]) ?? NaN;
  }
}

/** A number cell as parquet (numbers, 64-bit integers) or CSV (text) gives it. */
function numberOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) return Number(value);
  return null;
}
