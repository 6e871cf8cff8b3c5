type Numbers = Float64Array | Uint32Array | Uint16Array;

/** A typed array that grows as values are added. */
export class Column<T extends Numbers> {
  readonly #make: (length: number) => T;
  #values: T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const wider = this.#make(this.length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** The values so far; a view that later additions may leave behind. */
  view(): T {
    return this.#values.subarray(0, this.length) as T;
  }
}
