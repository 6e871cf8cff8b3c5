import type { Problem } from "../../core/errors.ts";
import { Column } from "./column.ts";
import type { RequestRow, TurnPrompts } from "./request-format.ts";

/**
 * Which rows wait for which: turns of a session for the one before, and requests for those that they name. What is
 * waited for stands before in the file, so nobody waits in a circle.
 */
export class Links {
  /** Rows that others wait for, in the order of those that wait. */
  readonly previous = new Column((length) => new Uint32Array(length));
  /** Rows that wait for others. */
  followers = 0;
  /** Lines of the first rows that have no time and wait for nobody. */
  readonly untimed: (number | null)[] = [];
  /** What rows that wait say that their prompts count. */
  readonly stated = new Set<TurnPrompts>();
  /** Whether a row waits for requests that it names, rather than for the turn before it. */
  named = false;

  /** [row] end of its part of `previous`. */
  readonly #ends = new Column((length) => new Uint32Array(length));
  readonly #waits = new Column((length) => new Float64Array(length));
  readonly #problem: (problem: Problem) => void;
  readonly #sessions = new Map<string, { readonly first: number; last: number | null }>();
  readonly #names = new Map<string, number>();

  constructor(problem: (problem: Problem) => void) {
    this.#problem = problem;
  }

  /** Index of the first row of a session; a row without one stands for itself. */
  firstOf(session: string | undefined, index: number): number {
    if (session === undefined) return index;
    const known = this.#sessions.get(session);
    if (known !== undefined) return known.first;
    this.#sessions.set(session, { first: index, last: null });
    return index;
  }

  add(line: number | null, row: number, { session, name, after, wait = 0, at, turnPrompts }: RequestRow): void {
    const own = session === undefined ? undefined : this.#sessions.get(session);
    const before = this.previous.length;
    if (after !== undefined) {
      this.named = true;
      for (const earlier of new Set(after)) {
        const found = this.#names.get(earlier);
        if (found !== undefined) this.previous.push(found);
        else
          this.#problem({
            ...(line === null ? {} : { line }),
            expected: "a request that waits for requests in rows before it",
            found: earlier,
          });
      }
    } else if (own !== undefined && own.last !== null) this.previous.push(own.last);
    if (own !== undefined) own.last = row;
    if (name !== undefined) this.#names.set(name, row);
    const waits = this.previous.length > before;
    if (waits) {
      // Most traces have no such rows, and get by without these columns.
      if (this.followers === 0) for (let earlier = 0; earlier < row; earlier++) this.#push(0, 0);
      this.followers += 1;
      if (turnPrompts !== undefined) this.stated.add(turnPrompts);
    } else if (at === null && this.untimed.length < 20) this.untimed.push(line);
    if (this.followers > 0) this.#push(this.previous.length, wait);
  }

  #push(end: number, wait: number): void {
    this.#ends.push(end);
    this.#waits.push(wait);
  }

  /** Time that a row waits after the last answer that it waits for, in the file's unit. */
  waitOf(row: number): number {
    return this.followers === 0 ? 0 : this.#waits.at(row);
  }

  /** Rows that a row waits for. */
  of(row: number): Uint32Array {
    if (this.followers === 0) return this.previous.view();
    return this.previous.view().subarray(row === 0 ? 0 : this.#ends.at(row - 1), this.#ends.at(row));
  }
}
