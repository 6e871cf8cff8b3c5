/**
 * Passes through a model, told from its calls alone: layers come in order, so a call for the same layer as the last one, or for
 * one before it, begins the next pass. A cache of one layer counts each of its calls. A pass that asks nothing of a cache is not
 * noticed, and passes of two steps that run at once, in pipeline stages, belong to different caches.
 */
export class Passes {
  /** Number of the pass under way, from 1 on. */
  number = 0;
  #layer = Number.POSITIVE_INFINITY;

  /** A call for a layer; returns whether it is the first of its pass. */
  call(layer: number): boolean {
    const begins = layer <= this.#layer;
    this.#layer = layer;
    if (begins) this.number++;
    return begins;
  }

  /** The next call begins a pass, whatever its layer: a request starts with one. */
  restart(): void {
    this.#layer = Number.POSITIVE_INFINITY;
  }

  /** Layer of the latest call. */
  get layer(): number {
    return this.#layer;
  }
}
