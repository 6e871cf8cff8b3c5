/**
 * LRU stack of dense keys that answers "how many distinct keys were touched since this one" (Mattson et al. 1970,
 * "Evaluation techniques for storage hierarchies"). Each key owns one set bit on a timeline, at its last touch; the
 * distance is the number of set bits after it. The timeline is a row of 32-bit words with a count per 8 words and per 64, and is
 * compacted when its end is reached, so that a query reads at most 7 words, 7 small counts and the large ones.
 */
export class RecencyStack {
  readonly #slotOf: Int32Array;
  readonly #keyAt: Int32Array;
  readonly #words: Int32Array;
  /** Set bits of 8 words, and of 8 such blocks. */
  readonly #blocks: Int32Array;
  readonly #stretches: Int32Array;
  readonly #slots: number;
  #head = 0;

  constructor(keys: number) {
    this.#slots = 2048 * Math.ceil(Math.max(4 * keys, 2048) / 2048);
    this.#slotOf = new Int32Array(keys).fill(-1);
    this.#keyAt = new Int32Array(this.#slots);
    this.#words = new Int32Array(this.#slots >>> 5);
    this.#blocks = new Int32Array(this.#slots >>> 8);
    this.#stretches = new Int32Array(this.#slots >>> 11);
  }

  /** Forgets every touch. */
  clear(): void {
    this.#slotOf.fill(-1);
    this.#words.fill(0);
    this.#blocks.fill(0);
    this.#stretches.fill(0);
    this.#head = 0;
  }

  /** Distinct keys touched after `key` was last touched (0 = the most recent one), or -1 if it never was. */
  distance(key: number): number {
    const slot = this.#slotOf[key]!;
    if (slot < 0) return -1;
    const words = this.#words;
    const blocks = this.#blocks;
    const stretches = this.#stretches;
    const last = (this.#head - 1) >>> 5;
    const word = slot >>> 5;
    // Two shifts, because a shift by 32 is a shift by 0.
    let distance = ones((words[word]! >>> (slot & 31)) >>> 1);
    const lastWord = Math.min(last, word | 7);
    for (let at = word + 1; at <= lastWord; at++) distance += ones(words[at]!);
    const lastBlock = Math.min(last >>> 3, (word >>> 3) | 7);
    for (let at = (word >>> 3) + 1; at <= lastBlock; at++) distance += blocks[at]!;
    for (let at = (word >>> 6) + 1; at <= last >>> 6; at++) distance += stretches[at]!;
    return distance;
  }

  /** Makes `key` the most recent one. */
  touch(key: number): void {
    if (this.#head === this.#slots) this.#compact();
    const old = this.#slotOf[key]!;
    const head = this.#head;
    if (old >= 0) {
      this.#words[old >>> 5]! &= ~(1 << (old & 31));
      this.#blocks[old >>> 8]! -= 1;
      this.#stretches[old >>> 11]! -= 1;
    }
    this.#words[head >>> 5]! |= 1 << (head & 31);
    this.#blocks[head >>> 8]! += 1;
    this.#stretches[head >>> 11]! += 1;
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
    this.#stretches.fill(0);
    for (let slot = 0; slot < live; slot++) {
      this.#words[slot >>> 5]! |= 1 << (slot & 31);
      this.#blocks[slot >>> 8]! += 1;
      this.#stretches[slot >>> 11]! += 1;
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
