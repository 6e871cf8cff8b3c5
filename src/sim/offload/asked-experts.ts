/** Distinct experts that a layer call asks of one rank's cache, in the order in which they are met. Reused between calls. */
export class AskedExperts {
  count = 0;
  /** [count] MoE layer x experts + expert. */
  readonly keys: Uint32Array;
  /** [count] tokens of the expert on this rank. */
  readonly tokens: Uint32Array;

  constructor(experts: number) {
    this.keys = new Uint32Array(experts);
    this.tokens = new Uint32Array(experts);
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds an expert. Copies in one cache follow each other and become one entry. */
  add(key: number, tokens: number): void {
    if (this.count > 0 && this.keys[this.count - 1] === key) {
      this.tokens[this.count - 1]! += tokens;
      return;
    }
    this.keys[this.count] = key;
    this.tokens[this.count++] = tokens;
  }
}
