/** Experts that a prefetcher expects, the most wanted first. Reused between calls; an expert is listed once. */
export class Guesses {
  count = 0;
  /** [count] layer x experts + expert. */
  readonly keys: Uint32Array;
  readonly #listed: Uint8Array;

  constructor(objects: number) {
    this.keys = new Uint32Array(objects);
    this.#listed = new Uint8Array(objects);
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.#listed[this.keys[i]!] = 0;
    this.count = 0;
  }

  /** Adds an expert behind all others; a second time, nothing. */
  add(key: number): void {
    if (this.#listed[key] === 1) return;
    this.#listed[key] = 1;
    this.keys[this.count++] = key;
  }
}
