import { RandomStream } from "../../core/random.ts";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { SteppedCache } from "./stepped-cache.ts";

class RandomCache extends SteppedCache {
  /** Residents in no particular order at places 1 to `resident`; the last fills the place of one that leaves. */
  readonly #idAt: Uint16Array | Uint32Array;
  readonly #placeOf: Uint16Array | Uint32Array;
  readonly #draws: RandomStream;
  #last = 0;

  constructor(context: CacheContext) {
    super(context);
    this.#idAt = denseArray(context.objects + 1, context.objects);
    this.#placeOf = denseArray(context.objects, context.objects);
    this.#draws = new RandomStream(context.seed ?? 0, "policy/cache/random");
  }

  protected touch(): void {}

  protected recall(): boolean {
    return false;
  }

  protected load(id: number): void {
    this.#idAt[++this.#last] = id;
    this.#placeOf[id] = this.#last;
  }

  protected evict(kept: Uint8Array): number {
    let id: number;
    do id = this.#idAt[1 + this.#draws.below(this.#last)]!;
    while (kept[id] === 1);
    this.remove(id);
    return id;
  }

  protected remove(id: number): void {
    const place = this.#placeOf[id]!;
    const moved = this.#idAt[this.#last--]!;
    this.#idAt[place] = moved;
    this.#placeOf[moved] = place;
  }
}

/** Evicts any resident with equal chance: what a policy must beat. Its draws follow from the seed of the run. */
export const random: CachePolicy = {
  name: "random",
  rule: "Evicts any expert with equal chance.",
  needs: [],
  parameters: {},
  create: (context) => new RandomCache(context),
};
