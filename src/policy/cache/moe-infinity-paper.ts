import { ActivationStore } from "../activation/activation-store.ts";
import { RunningMatch } from "../activation/running-match.ts";
import type { CacheContext } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/** Keeps experts that no request used apart by their layers. */
const epsilon = 1e-8;

/**
 * MoE-Infinity as its paper describes it. Matrices of past requests count how often each expert was used. The layers that the pass
 * under way has come through are compared with all of them, by the mean of the layers' cosines; the share of a layer's uses that
 * an expert had in the past, weighted by that similarity, predicts it. The rank is (share + 1e-8) (1 - layer / layers). A full
 * collection replaces the request most like the newcomer. While nothing of the past is like the pass, the request's own uses so
 * far take its place: what the paper does there is not known. An expert counts once for a call, whatever its tokens.
 */
export class ActivationAwareCache extends RankedCache {
  readonly #store: ActivationStore;
  /** What the pass under way has used. */
  readonly #pass: RunningMatch;
  readonly #passes = new Passes();
  /** [layers x experts] uses of the request, and [layers] their sums. */
  readonly #uses: Float64Array;
  readonly #sums: Float64Array;
  /** Of each entry with the pass, as of the latest call, and their sum. */
  #similarities: number[] = [];
  #similarity = 0;

  constructor(context: CacheContext, capacity: number) {
    super(context);
    const shape = { layers: this.layers, expertsPerLayer: this.expertsPerLayer };
    this.#store = new ActivationStore(shape, capacity, "most-similar");
    this.#pass = new RunningMatch(this.#store);
    this.#uses = new Float64Array(shape.layers * shape.expertsPerLayer);
    this.#sums = new Float64Array(shape.layers);
  }

  requestStarts(): void {
    if (this.#sums.some((sum) => sum > 0))
      this.#store.insert(this.#uses.map((uses, id) => (uses === 0 ? 0 : uses / this.#sums[this.layerOf(id)]!)));
    this.#uses.fill(0);
    this.#sums.fill(0);
    this.#pass.clear();
    this.#similarities = [];
    this.#similarity = 0;
  }

  protected override asked(keys: Uint32Array, from: number, to: number): void {
    const layer = this.layerOf(keys[from]! - this.base);
    if (this.#passes.call(layer)) this.#pass.clear();
    for (let i = from; i < to; i++) {
      this.#pass.add(keys[i]! - this.base, 1);
      this.#uses[keys[i]! - this.base]!++;
    }
    this.#sums[layer]! += to - from;
    this.#similarity = 0;
    for (let place = 0; place < this.#store.size; place++) {
      this.#similarities[place] = this.#pass.layerwise(place, 0, layer + 1);
      this.#similarity += this.#similarities[place]!;
    }
  }

  protected rank(id: number): number {
    const layer = this.layerOf(id);
    return (this.#share(id, layer) + epsilon) * (1 - layer / this.layers);
  }

  #share(id: number, layer: number): number {
    if (this.#similarity === 0) return this.#sums[layer] === 0 ? 0 : this.#uses[id]! / this.#sums[layer]!;
    let sum = 0;
    for (const [place, similarity] of this.#similarities.entries()) sum += similarity * this.#store.entry(place)[id]!;
    return sum / this.#similarity;
  }
}
