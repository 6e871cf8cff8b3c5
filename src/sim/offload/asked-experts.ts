/** Distinct experts that a layer call asks of one rank's cache, in the order in which they are met. Reused between calls. */
export class AskedExperts {
  /** MoE layer of the model that asks. */
  layer = 0;
  count = 0;
  /** [count] MoE layer x experts + expert. */
  readonly keys: Uint32Array;
  /** [count] tokens of the expert on this rank. */
  readonly tokens: Uint32Array;
  /** [count] router weights summed over those tokens; absent where nobody asks for them. */
  readonly weights?: Float64Array;

  constructor(experts: number, weighted = false) {
    this.keys = new Uint32Array(experts);
    this.tokens = new Uint32Array(experts);
    if (weighted) this.weights = new Float64Array(experts);
  }

  clear(layer = 0): void {
    this.layer = layer;
    this.count = 0;
  }

  /** Adds an expert. Copies in one cache follow each other and become one entry. */
  add(key: number, tokens: number, weight = 0): void {
    const { weights } = this;
    if (this.count > 0 && this.keys[this.count - 1] === key) {
      this.tokens[this.count - 1]! += tokens;
      if (weights !== undefined) weights[this.count - 1]! += weight;
      return;
    }
    if (weights !== undefined) weights[this.count] = weight;
    this.keys[this.count] = key;
    this.tokens[this.count++] = tokens;
  }
}
