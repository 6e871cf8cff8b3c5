import type { Ranking } from "./ranking.ts";

/** The expert whose last use is longest ago goes first. Entering is a use. */
export class LruRanking implements Ranking {
  /** Neighbours in a circular list, least recent first; entry `keys` is its end mark. */
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;
  readonly #mark: number;

  constructor(keys: number) {
    this.#next = new Uint32Array(keys + 1);
    this.#previous = new Uint32Array(keys + 1);
    this.#mark = keys;
    this.#next[keys] = this.#previous[keys] = keys;
  }

  enter(key: number): void {
    const mark = this.#mark;
    const last = this.#previous[mark]!;
    this.#next[last] = key;
    this.#previous[key] = last;
    this.#next[key] = mark;
    this.#previous[mark] = key;
  }

  use(key: number): void {
    this.leave(key);
    this.enter(key);
  }

  leave(key: number): void {
    const before = this.#previous[key]!;
    const after = this.#next[key]!;
    this.#next[before] = after;
    this.#previous[after] = before;
  }

  first(): number {
    return this.after(this.#mark);
  }

  after(key: number): number {
    const next = this.#next[key]!;
    return next === this.#mark ? -1 : next;
  }
}
