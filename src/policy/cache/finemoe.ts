import { z } from "zod";
import { ActivationStore } from "../activation/activation-store.ts";
import { RunningMatch } from "../activation/running-match.ts";
import type { CacheContext, CachePolicy } from "./expert-cache.ts";
import { Passes } from "./passes.ts";
import { RankedCache } from "./ranked-cache.ts";

/** Above every rank of an expert that nobody has asked to keep. */
const keptRank = Number.MAX_SAFE_INTEGER;

class FineMoeCache extends RankedCache {
  readonly #store: ActivationStore;
  readonly #match: RunningMatch;
  readonly #distance: number;
  readonly #truncates: boolean;
  readonly #passes = new Passes();
  /** [layers x experts] what the latest match that covers a layer expects of it. */
  readonly #expected: Float64Array;
  /** Uses of each object while resident. */
  readonly #visits: Float64Array;
  readonly #wanted: Uint8Array;

  constructor(context: CacheContext, { store, distance, variant }: Values) {
    super(context);
    const shape = { layers: this.layers, expertsPerLayer: this.expertsPerLayer };
    this.#store = new ActivationStore(shape, store, "nearest-trajectory");
    this.#match = new RunningMatch(this.#store);
    this.#distance = distance;
    this.#truncates = variant === "repo";
    this.#expected = new Float64Array(shape.layers * shape.expertsPerLayer);
    this.#visits = new Float64Array(context.objects);
    this.#wanted = new Uint8Array(context.objects);
  }

  foresee(keys: Uint32Array, from: number, to: number): void {
    this.#wanted.fill(0);
    for (let i = from; i < to; i++) this.#wanted[keys[i]! - this.base] = 1;
  }

  protected override asked(keys: Uint32Array, from: number, to: number, weights?: Float64Array): void {
    const layer = this.layerOf(keys[from]! - this.base);
    const { number } = this.#passes;
    if (this.#passes.call(layer)) {
      if (number > 0) this.#store.insert(this.#match.observed);
      this.#match.clear();
    }
    let sum = 0;
    for (let i = from; i < to; i++) sum += weights === undefined ? 1 : weights[i - from]!;
    for (let i = from; i < to; i++) {
      this.#visits[keys[i]! - this.base]!++;
      if (sum > 0) this.#match.add(keys[i]! - this.base, (weights === undefined ? 1 : weights[i - from]!) / sum);
    }
    const found = this.#match.bestTrajectory(layer + 1);
    if (found === null) return;
    const first = (layer + this.#distance) * this.expertsPerLayer;
    const entry = this.#store.entry(found.place);
    for (let at = first; at < entry.length; at++) this.#expected[at] = entry[at]!;
  }

  protected override left(id: number): void {
    this.#visits[id] = 0;
  }

  protected rank(id: number): number {
    if (this.#wanted[id] === 1) return keptRank;
    const worth = this.#expected[id]! * this.#visits[id]!;
    return this.#truncates ? Math.floor(worth) : worth;
  }
}

const parameters = {
  variant: z
    .enum(["paper", "repo"])
    .default("paper")
    .describe("paper: ranks as they are; repo: cut to whole numbers, as the published code stores them."),
  store: z.int().min(1).max(1e5).default(1000).describe("Passes that are remembered, as many as the published demo's."),
  distance: z
    .int()
    .min(1)
    .max(1e4)
    .default(6)
    .describe(
      "Layers from the one that computes to the first one that its match says something of, as in the published demo.",
    ),
};

type Values = z.output<z.ZodObject<typeof parameters>>;

/**
 * FineMoE's eviction (EuroSys 2026, first as fMoE; code github.com/IntelliSys-Lab/FineMoE-EuroSys26): the probability that the most similar pass of the past gives an
 * expert, times its uses while resident; the lowest leaves, and never what the prefetcher wants in this step. Passes are compared by
 * the cosine of the trajectory so far; a full store replaces the pass most like the newcomer. Trajectories hold shares of the
 * router weights of the chosen experts, or equal shares where none were recorded, as traces have no probabilities of the others.
 * The match by token embedding, which covers the first `distance` layers, is left out, as traces have none: they keep 0, so
 * recency decides among them, as it does before anything is known. A pass is one step of all requests.
 */
export const fineMoe: CachePolicy<typeof parameters> = {
  name: "finemoe",
  rule: "Evicts the expert with the lowest product of its probability in the most similar past pass and its uses while resident.",
  needs: ["layers"],
  matchesLayers: () => true,
  parameters,
  create: (context, values = { variant: "paper", store: 1000, distance: 6 }) => new FineMoeCache(context, values),
};
