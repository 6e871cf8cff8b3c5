import type { CacheContext } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/** A ranked cache that counts uses and passes since the latest request began, whether experts are resident or not. */
export abstract class SequenceUses extends RankedCache {
  readonly #passes = new Passes();
  /** Passes before the request. */
  #before = 0;
  #layer = 0;
  readonly #uses: Float64Array;
  /** Pass of the request in which each object was last used; 0 for none. */
  readonly #lastPass: Float64Array;

  constructor(context: CacheContext) {
    super(context);
    this.#uses = new Float64Array(context.objects);
    this.#lastPass = new Float64Array(context.objects);
  }

  requestStarts(): void {
    this.#passes.restart();
    this.#before = this.#passes.number;
    this.#uses.fill(0);
    this.#lastPass.fill(0);
  }

  protected override asked(keys: Uint32Array, from: number, to: number): void {
    this.#layer = this.layerOf(keys[from]! - this.base);
    this.#passes.call(this.#layer);
    for (let i = from; i < to; i++) {
      const id = keys[i]! - this.base;
      this.#uses[id]!++;
      this.#lastPass[id] = this.passes;
    }
  }

  /** Passes of the request, this one included; at least one. */
  protected get passes(): number {
    return Math.max(1, this.#passes.number - this.#before);
  }

  /** Layer that computes; the first before any call. */
  protected get layer(): number {
    return this.#layer;
  }

  protected usesOf(id: number): number {
    return this.#uses[id]!;
  }

  protected lastPassOf(id: number): number {
    return this.#lastPass[id]!;
  }
}
