import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { type StaticChoice, staticChoices } from "./static-choice.ts";

/** A fixed set, loaded before the first call and never changed. Misses stream through or run elsewhere. */
class StaticCache implements ExpertCache {
  readonly capacity: number;
  readonly resident: number;
  readonly #base: number;
  readonly #isResident: Uint8Array;

  constructor(context: CacheContext, choose: StaticChoice) {
    const { popularity, capacity } = context;
    holds(popularity !== null, "cache-policy-needs", () => "static residency without popularity");
    this.capacity = capacity;
    this.#base = context.base ?? 0;
    this.#isResident = new Uint8Array(context.objects);
    const chosen = staticChoices[choose]({ ...context, popularity }).slice(0, capacity);
    for (const id of chosen) this.#isResident[id] = 1;
    this.resident = chosen.length;
  }

  contains(key: number): boolean {
    return this.#isResident[key - this.#base] === 1;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const isResident = this.#isResident;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const wasResident = isResident[keys[i]! - base]!;
      hit[i - from] = wasResident;
      hits += wasResident;
    }
    return hits;
  }

  /** A fixed set lets nothing in, so nothing that was prefetched ever leaves it. */
  insert(): boolean {
    return false;
  }

  drop(): void {}
}

const parameters = {
  choose: z
    .enum(Object.keys(staticChoices) as [StaticChoice, ...StaticChoice[]])
    .optional()
    .describe(
      "Which experts: the most used in the fitting set (frequency), the first of each layer (uniform), all of the first layers " +
        "(front-loading) or of the last ones (back-loading), or any (random). Per layer or over all layers, as the scope says. " +
        "Default frequency.",
    ),
};

/** Keeps a fixed set: the experts most used in the fitting set, as Fiddler does (arXiv 2402.07033), or another choice. */
export const staticTop: CachePolicy<typeof parameters> = {
  name: "static",
  rule: "Evicts nothing: a fixed set, by default the experts most used in the fitting set, is loaded before the run and stays.",
  needs: ["popularity"],
  parameters,
  create: (context, { choose } = {}) => new StaticCache(context, choose ?? "frequency"),
};
