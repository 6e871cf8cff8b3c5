/** Levels of 32-way words: 32^6 positions, more than a typed array can index. */
const levelCount = 6;

/**
 * A set of integers in [0, size) as a 32-ary tree of bits: bit i of a word says whether its i-th child word (on the
 * lowest level, its i-th integer) is not empty. Add, remove and highest touch at most six words.
 */
export class PositionSet {
  readonly #levels: readonly Int32Array[];
  readonly #lowest: Int32Array;

  constructor(size: number) {
    const levels: Int32Array[] = [];
    let width = size;
    for (let level = 0; level < levelCount; level++) {
      width = Math.max(1, Math.ceil(width / 32));
      levels.push(new Int32Array(width));
    }
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

  /** Removes a position and says whether it was there. */
  remove(position: number): boolean {
    const word = position >>> 5;
    const before = this.#lowest[word]!;
    const bit = 1 << (position & 31);
    if ((before & bit) === 0) return false;
    this.#lowest[word] = before & ~bit;
    if (before === bit) this.#removeAbove(word);
    return true;
  }

  /** The highest position; the set must not be empty. */
  highest(): number {
    let word = 0;
    for (let level = levelCount - 1; level >= 0; level--)
      word = (word << 5) | (31 - Math.clz32(this.#levels[level]![word]!));
    return word;
  }

  #addAbove(lowestWord: number): void {
    let child = lowestWord;
    for (let level = 1; level < levelCount; level++) {
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
    for (let level = 1; level < levelCount; level++) {
      const words = this.#levels[level]!;
      const word = child >>> 5;
      const left = words[word]! & ~(1 << (child & 31));
      words[word] = left;
      if (left !== 0) return;
      child = word;
    }
  }
}
