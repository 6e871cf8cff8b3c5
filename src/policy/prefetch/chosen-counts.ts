import type { PrefetchContext, PrefetchStep } from "./prefetcher.ts";

/** Tokens of a step by expert at a layer that has chosen. Reused between layers. */
export class ChosenCounts {
  count = 0;
  /** [count] distinct experts, in the order in which they are met. */
  readonly experts: Uint32Array;
  /** [experts] tokens that chose each; of the last layer counted. */
  readonly tokens: Uint32Array;
  readonly #context: PrefetchContext;

  constructor(context: PrefetchContext) {
    this.#context = context;
    this.experts = new Uint32Array(context.experts);
    this.tokens = new Uint32Array(context.experts);
  }

  take({ rows, count }: PrefetchStep, layer: number): void {
    const { replayed, layerMap, experts, topK } = this.#context;
    for (let i = 0; i < this.count; i++) this.tokens[this.experts[i]!] = 0;
    this.count = 0;
    for (let r = 0; r < count; r++) {
      const from = (rows[r]! * replayed.layers + layerMap[layer]!) * topK;
      for (let at = from; at < from + topK; at++) {
        const expert = replayed.ids[at]!;
        if (expert >= experts) continue;
        if (this.tokens[expert]!++ === 0) this.experts[this.count++] = expert;
      }
    }
  }
}
