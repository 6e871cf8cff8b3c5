const pageTokens = 4_096;

/**
 * A set of token numbers that grows by one at a time. A run of neighbours takes two numbers; others take one bit a token in
 * pages. Tokens are counted in ascending order by {@link rank}.
 */
export class TokenSet {
  #from = 0;
  /** Runs are [from, to). */
  #to = 0;
  #size = 0;
  #pages: Map<number, Uint8Array> | null = null;
  #before: Map<number, number> | null = null;

  get size(): number {
    return this.#size;
  }

  get first(): number {
    return this.#from;
  }

  /** One more than the largest token. */
  get end(): number {
    return this.#to;
  }

  /** Whether the token was new. */
  add(token: number): boolean {
    if (this.#pages === null) {
      if (this.#size === 0) this.#from = this.#to = token;
      if (token >= this.#from && token < this.#to) return false;
      if (token === this.#to) this.#to += 1;
      else if (token === this.#from - 1) this.#from = token;
      else {
        this.#pages = new Map();
        this.#size = 0;
        for (let t = this.#from; t < this.#to; t++) this.#set(t);
        return this.#addToPages(token);
      }
      this.#size += 1;
      return true;
    }
    return this.#addToPages(token);
  }

  /** How many tokens are smaller; call after the last one was added. */
  rank(token: number): number {
    if (this.#pages === null) return token - this.#from;
    if (this.#before === null) {
      this.#before = new Map();
      let before = 0;
      for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) {
        this.#before.set(page, before);
        for (const byte of this.#pages.get(page) ?? []) before += ones(byte);
      }
    }
    const number = Math.floor(token / pageTokens);
    const page = this.#pages.get(number);
    const at = token % pageTokens;
    let rank = this.#before.get(number) ?? 0;
    if (page === undefined) return rank;
    for (let i = 0; i < at >> 3; i++) rank += ones(page[i]!);
    return rank + ones(page[at >> 3]! & ((1 << (at & 7)) - 1));
  }

  /** Bytes that it takes beyond a few numbers. */
  get bytes(): number {
    return (this.#pages?.size ?? 0) * (pageTokens / 8 + 100);
  }

  #addToPages(token: number): boolean {
    const before = this.#size;
    this.#set(token);
    this.#from = Math.min(this.#from, token);
    this.#to = Math.max(this.#to, token + 1);
    return this.#size > before;
  }

  #set(token: number): void {
    const number = Math.floor(token / pageTokens);
    let page = this.#pages?.get(number);
    if (page === undefined) {
      page = new Uint8Array(pageTokens / 8);
      this.#pages?.set(number, page);
    }
    const at = token % pageTokens;
    const bit = 1 << (at & 7);
    if ((page[at >> 3]! & bit) === 0) this.#size += 1;
    page[at >> 3]! |= bit;
  }
}

function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
