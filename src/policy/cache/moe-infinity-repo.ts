import type { CacheContext } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/** Added to each factor after it was scaled to sum one over all experts. */
const floor = 1e-6;
/** Above every rank of an expert that nobody has asked to keep. */
const keptRank = Number.MAX_SAFE_INTEGER;

/**
 * `priority_score` of github.com/EfficientMoE/MoE-Infinity (moe_infinity/memory/expert_priority_score.py): the product of a decay by layer, of the request's
 * uses of the expert as a share of its layer (equal shares where the layer was not used), and of its uses while resident. Each factor is scaled to sum one
 * over all experts, plus 1e-6. The decay takes the model for an encoder and a decoder of half its layers each: layers of the
 * computing half have 1 up to the computing one, and those after it fall with depth in the first half and rise in the second. What
 * the prefetcher wants and the whole computing layer stay while anything else can go. Left out: a half without any use counts
 * every expert of it once, which changes no order among residents.
 */
export class RequestPriorityCache extends RankedCache {
  readonly #passes = new Passes();
  /** [layers x experts] uses of the request, and [layers] their sums. */
  readonly #uses: Float64Array;
  readonly #sums: Float64Array;
  readonly #visits: Float64Array;
  #visitsOfAll = 0;
  readonly #wanted: Uint8Array;
  /** Decay of each layer, as of the latest call. */
  readonly #decays: Float64Array;

  constructor(context: CacheContext) {
    super(context);
    this.#uses = new Float64Array(this.layers * this.expertsPerLayer);
    this.#sums = new Float64Array(this.layers);
    this.#visits = new Float64Array(context.objects);
    this.#wanted = new Uint8Array(context.objects);
    this.#decays = new Float64Array(this.layers).fill(1);
  }

  requestStarts(): void {
    this.#uses.fill(0);
    this.#sums.fill(0);
  }

  foresee(keys: Uint32Array, from: number, to: number): void {
    this.#wanted.fill(0);
    for (let i = from; i < to; i++) this.#wanted[keys[i]! - this.base] = 1;
  }

  protected override asked(keys: Uint32Array, from: number, to: number): void {
    const layer = this.layerOf(keys[from]! - this.base);
    this.#passes.call(layer);
    for (let i = from; i < to; i++) {
      this.#uses[keys[i]! - this.base]!++;
      this.#visits[keys[i]! - this.base]!++;
    }
    this.#sums[layer]! += to - from;
    this.#visitsOfAll += to - from;
    this.#decay(layer);
  }

  protected override left(id: number): void {
    this.#visitsOfAll -= this.#visits[id]!;
    this.#visits[id] = 0;
  }

  protected rank(id: number): number {
    const layer = this.layerOf(id);
    if (this.#wanted[id] === 1 || (this.#passes.number > 0 && layer === this.#passes.layer)) return keptRank;
    const sum = this.#sums[layer]!;
    const share = sum === 0 ? 1 / this.expertsPerLayer : this.#uses[id]! / sum;
    const frequency = this.#visitsOfAll === 0 ? 0 : this.#visits[id]! / this.#visitsOfAll;
    return (this.#decays[layer]! + floor) * (share / this.layers + floor) * (frequency + floor);
  }

  #decay(now: number): void {
    const half = Math.floor(this.layers / 2);
    let sum = 0;
    for (let layer = 0; layer < this.layers; layer++) {
      const decay = layer < half ? 1 - layer / half : (layer - half) / (half + 1);
      const computing = now < half === layer < half;
      this.#decays[layer] = computing && layer <= now ? 1 : decay;
      sum += this.#decays[layer]! * this.expertsPerLayer;
    }
    for (let layer = 0; layer < this.layers && sum > 0; layer++) this.#decays[layer]! /= sum;
  }
}
