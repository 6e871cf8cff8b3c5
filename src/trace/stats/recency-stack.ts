/**
 * LRU stack of dense keys that answers "how many distinct keys were touched since this one" (Mattson et al. 1970,
 * "Evaluation techniques for storage hierarchies"). Each key owns one set bit on a timeline, at its last touch; the
 * distance is the number of set bits after it. The timeline is a ring of 32-bit words with a count per 32 words, and is
 * compacted when its end is reached, so that a query reads at most 31 words and the block counts.
 */
export class RecencyStack {
  readonly #slotOf: Int32Array;
  readonly #keyAt: Int32Array;
  readonly #words: Int32Array;
  readonly #blocks: Int32Array;
  readonly #slots: number;
  #head = 0;

  constructor(keys: number) {
    this.#slots = 1024 * Math.ceil(Math.max(4 * keys, 1024) / 1024);
    this.#slotOf = new Int32Array(keys).fill(-1);
    this.#keyAt = new Int32Array(this.#slots);
    this.#words = new Int32Array(this.#slots >>> 5);
    this.#blocks = new Int32Array(this.#slots >>> 10);
  }

  /** Forgets every touch. */
  clear(): void {
    this.#slotOf.fill(-1);
    this.#words.fill(0);
    this.#blocks.fill(0);
    this.#head = 0;
  }

  /** Distinct keys touched after `key` was last touched (0 = the most recent one), or -1 if it never was. */
  distance(key: number): number {
    const slot = this.#slotOf[key]!;
    if (slot < 0) return -1;
    const words = this.#words;
    const blocks = this.#blocks;
    const last = (this.#head - 1) >>> 5;
    const word = slot >>> 5;
    const block = word >>> 5;
    // Two shifts, because a shift by 32 is a shift by 0.
    let distance = ones((words[word]! >>> (slot & 31)) >>> 1);
    const stop = Math.min(last, block * 32 + 31);
    for (let at = word + 1; at <= stop; at++) distance += ones(words[at]!);
    for (let at = block + 1; at <= last >>> 5; at++) distance += blocks[at]!;
    return distance;
  }

  /** Makes `key` the most recent one. */
  touch(key: number): void {
    if (this.#head === this.#slots) this.#compact();
    const old = this.#slotOf[key]!;
    const head = this.#head;
    if (old >= 0) {
      this.#words[old >>> 5]! &= ~(1 << (old & 31));
      this.#blocks[old >>> 10]! -= 1;
    }
    this.#words[head >>> 5]! |= 1 << (head & 31);
    this.#blocks[head >>> 10]! += 1;
    this.#slotOf[key] = head;
    this.#keyAt[head] = key;
    this.#head = head + 1;
  }

  /** Moves the live bits to the start of the timeline, in order. */
  #compact(): void {
    const keyAt = this.#keyAt;
    const slotOf = this.#slotOf;
    let live = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      const key = keyAt[slot]!;
      if (slotOf[key] !== slot) continue;
      keyAt[live] = key;
      slotOf[key] = live;
      live += 1;
    }
    this.#words.fill(0);
    this.#blocks.fill(0);
    for (let slot = 0; slot < live; slot++) {
      this.#words[slot >>> 5]! |= 1 << (slot & 31);
      this.#blocks[slot >>> 10]! += 1;
    }
    this.#head = live;
  }
}

/** Set bits of a 32-bit word. */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
