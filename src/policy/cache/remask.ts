import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { staticChoices } from "./static-choice.ts";

/** A fixed set until a long prompt has passed: then it is the experts that the prompt used most. */
class RemaskingCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #pairsFrom: number;
  readonly #isResident: Uint8Array;
  /** Tokens of each expert over the chunks of the prompt so far. */
  readonly #tokens: Float64Array;
  #inPrompt = false;

  constructor(context: CacheContext, tokensFrom: number) {
    const { popularity, capacity, objects, base = 0, topK = 1 } = context;
    holds(popularity !== null, "cache-policy-needs", () => "a fixed set without popularity");
    this.capacity = capacity;
    this.#base = base;
    this.#pairsFrom = tokensFrom * topK;
    this.#isResident = new Uint8Array(objects);
    this.#tokens = new Float64Array(objects);
    const first = staticChoices.frequency({ ...context, popularity }).slice(0, capacity);
    for (const id of first) this.#isResident[id] = 1;
    this.resident = first.length;
  }

  contains(key: number): boolean {
    return this.#isResident[key - this.#base] === 1;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, tokens?: Float64Array): number {
    let hits = 0;
    let pairs = 0;
    for (let i = from; i < to; i++) {
      hit[i - from] = this.#isResident[keys[i]! - this.#base]!;
      hits += hit[i - from]!;
      pairs += tokens?.[i - from] ?? 0;
    }
    const long = pairs >= this.#pairsFrom;
    if (long && !this.#inPrompt) this.#tokens.fill(0);
    this.#inPrompt = long;
    if (!long) return hits;
    for (let i = from; i < to; i++) this.#tokens[keys[i]! - this.#base]! += tokens![i - from]!;
    this.#chooseAnew();
    return hits;
  }

  insert(): boolean {
    return false;
  }

  drop(): void {}

  /** The most used in the prompt; of equal ones those that are there, then the lower ids. As many as there were. */
  #chooseAnew(): void {
    const tokens = this.#tokens;
    const stays = this.#isResident;
    const order = Uint32Array.from({ length: tokens.length }, (_, id) => id);
    order.sort((a, b) => tokens[b]! - tokens[a]! || stays[b]! - stays[a]! || a - b);
    const chosen = order.subarray(0, this.resident);
    stays.fill(0);
    for (const id of chosen) stays[id] = 1;
  }
}

const parameters = {
  tokensFrom: z
    .int()
    .min(1)
    .max(1e9)
    .default(1024)
    .describe("Tokens of a step from which the set is chosen anew; the chunks of one prompt count together."),
};

/**
 * KTransformers with `--kt-enable-dynamic-expert-update`: a prompt of `--kt-gpu-prefill-token-threshold` tokens and more is computed
 * layer by layer on the device, to which all experts of a layer go anyway; the most used of them stay. So it belongs with a miss
 * policy that fetches in such steps (`deviceFrom`), and costs no transfer of its own. Without the tokens of a call the set
 * stays as it is.
 */
export const remask: CachePolicy<typeof parameters> = {
  name: "remask",
  rule: "Evicts nothing between long prompts: each leaves the experts that it used most.",
  needs: ["popularity", "tokens"],
  parameters,
  create: (context, { tokensFrom } = { tokensFrom: 1024 }) => new RemaskingCache(context, tokensFrom),
};
