/** Distinct experts that a layer call asks of one rank's cache, in the order in which they are met. Reused between calls. */
export class AskedExperts {
  /** MoE layer of the model that asks. */
  layer = 0;
  count = 0;
  /** [count] MoE layer x experts + expert. */
  readonly keys: Uint32Array;
  /** [count] tokens of the expert on this rank. */
  readonly tokens: Uint32Array;
  /** [count] the standing of each expert among the choices of its tokens, where somebody asks for it. */
  readonly standing: Standing;

  constructor(experts: number) {
    this.keys = new Uint32Array(experts);
    this.tokens = new Uint32Array(experts);
    this.standing = new Standing(experts);
  }

  clear(layer = 0): void {
    this.layer = layer;
    this.count = 0;
  }

  /** Adds an expert. Copies in one cache follow each other and become one entry. */
  add(key: number, tokens: number): void {
    if (this.count > 0 && this.keys[this.count - 1] === key) {
      this.tokens[this.count - 1]! += tokens;
      return;
    }
    this.standing.mass[this.count] = 0;
    this.keys[this.count] = key;
    this.tokens[this.count++] = tokens;
  }

  /** The expert that was added last stands as `expert` does in `standing`; `part` of its tokens are this rank's. */
  stand(standing: Standing, expert: number, part: number): void {
    const at = this.count - 1;
    this.standing.ranks[at] = standing.ranks[expert]!;
    this.standing.ahead[at] = standing.ahead[expert]!;
    this.standing.mass[at]! += part * standing.mass[expert]!;
  }
}

/** How experts stand among the choices of their tokens. */
export class Standing {
  /** Best place among the choices of a token, 0 = first, in stored order. */
  readonly ranks: Uint8Array;
  /** Smallest share of a token's router weights on choices of more weight. */
  readonly ahead: Float64Array;
  /** Shares of its tokens' router weights, summed. */
  readonly mass: Float64Array;

  constructor(experts: number) {
    this.ranks = new Uint8Array(experts);
    this.ahead = new Float64Array(experts);
    this.mass = new Float64Array(experts);
  }
}
