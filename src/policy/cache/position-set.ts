/**
 * A set of integers in [0, size) as a 32-ary tree of bits. On the lowest level, bit i of a word says whether its i-th
 * integer is in the set; above, whether its i-th child word is not empty. Every operation touches at most one word per
 * level.
 */
export class PositionSet {
  /** Lowest level first, up to a level of one word. */
  readonly #levels: readonly Int32Array[];
  readonly #lowest: Int32Array;

  constructor(size: number) {
    const levels: Int32Array[] = [];
    let width = size;
    do {
      width = Math.max(1, Math.ceil(width / 32));
      levels.push(new Int32Array(width));
    } while (width > 1);
    this.#levels = levels;
    this.#lowest = levels[0]!;
  }

  has(position: number): boolean {
    return ((this.#lowest[position >>> 5]! >>> (position & 31)) & 1) === 1;
  }

  add(position: number): void {
    const word = position >>> 5;
    const before = this.#lowest[word]!;
    this.#lowest[word] = before | (1 << (position & 31));
    if (before === 0) this.#addAbove(word);
  }

  /** Removes [from, to), writes 1 or 0 for each position to `was[0 .. to - from)`, and returns how many were there. */
  takeRange(from: number, to: number, was: Uint8Array): number {
    const lowest = this.#lowest;
    let taken = 0;
    let at = from;
    while (at < to) {
      const word = at >>> 5;
      const bits = lowest[word]!;
      const end = Math.min(to, (word + 1) << 5);
      let left = bits;
      for (; at < end; at++) {
        const bit = (bits >>> (at & 31)) & 1;
        was[at - from] = bit;
        taken += bit;
        left &= ~(1 << (at & 31));
      }
      lowest[word] = left;
      if (left === 0 && bits !== 0) this.#removeAbove(word);
    }
    return taken;
  }

  /** Removes and returns the highest position; the set must not be empty. */
  takeHighest(): number {
    let word = 0;
    for (let level = this.#levels.length - 1; level > 0; level--)
      word = (word << 5) | (31 - Math.clz32(this.#levels[level]![word]!));
    const bits = this.#lowest[word]!;
    const bit = 31 - Math.clz32(bits);
    const left = bits & ~(1 << bit);
    this.#lowest[word] = left;
    if (left === 0) this.#removeAbove(word);
    return (word << 5) | bit;
  }

  #addAbove(lowestWord: number): void {
    let child = lowestWord;
    for (let level = 1; level < this.#levels.length; level++) {
      const words = this.#levels[level]!;
      const word = child >>> 5;
      const before = words[word]!;
      words[word] = before | (1 << (child & 31));
      if (before !== 0) return;
      child = word;
    }
  }

  #removeAbove(lowestWord: number): void {
    let child = lowestWord;
    for (let level = 1; level < this.#levels.length; level++) {
      const words = this.#levels[level]!;
      const word = child >>> 5;
      const left = words[word]! & ~(1 << (child & 31));
      words[word] = left;
      if (left !== 0) return;
      child = word;
    }
  }
}
