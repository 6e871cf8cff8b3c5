/** Experts that no prefetch may throw out: those of the call under way, and those expected of layers that are still to come. */
export class SparedExperts {
  /** [MoE layers x experts] 1 for each. */
  readonly flags: Uint8Array;
  /** [MoE layers x experts] the last layer that wants it, where it is spared. */
  private readonly until: Int32Array;
  private readonly keys: Uint32Array;
  private count = 0;

  constructor(objects: number) {
    this.flags = new Uint8Array(objects);
    this.until = new Int32Array(objects);
    this.keys = new Uint32Array(objects);
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.flags[this.keys[i]!] = 0;
    this.count = 0;
  }

  /** Spares an expert until `layer` is passed. */
  spare(key: number, layer: number): void {
    if (this.flags[key] === 1) {
      this.until[key] = Math.max(this.until[key]!, layer);
      return;
    }
    this.flags[key] = 1;
    this.until[key] = layer;
    this.keys[this.count++] = key;
  }

  /** Whether nobody wants it behind `layer`, which does. */
  now(key: number, layer: number): boolean {
    return this.flags[key] === 1 && this.until[key] === layer;
  }

  /** A step has reached `layer`: what only layers before it wanted is spared no longer. */
  reach(layer: number): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const key = this.keys[i]!;
      if (this.until[key]! < layer) this.flags[key] = 0;
      else this.keys[kept++] = key;
    }
    this.count = kept;
  }
}
