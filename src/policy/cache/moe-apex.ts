import type { CachePolicy } from "./expert-cache.ts";
import { layersAhead } from "./layer-distance.ts";
import { SequenceUses } from "./sequence-uses.ts";

/** Keeps the distance of the computing layer from being zero. */
const nearest = 0.1;

class MoeApexCache extends SequenceUses {
  protected rank(id: number): number {
    const distance = layersAhead(this.layerOf(id), this.layer, this.layers) + nearest;
    const recent = this.lastPassOf(id) > 0 && this.lastPassOf(id) >= this.passes - 1;
    return this.usesOf(id) / this.passes + (recent ? 1 / distance : 0);
  }
}

/**
 * The least critically used expert of MoE-APEX (ASPLOS 2026; secondary source), which came out of HOBBIT: uses per pass of the request, and 1 / (layer
 * distance + 0.1) for an expert that the last pass or this one used. Uses of copies in low precision count by their share of the
 * bytes there; here a slot holds one precision, so they are left out, and so is the masking of what a prefetcher predicts.
 */
export const moeApex: CachePolicy = {
  name: "moe-apex",
  rule: "Evicts the expert with the fewest uses per pass of the request, less for those just used in layers that come soon.",
  needs: [],
  parameters: {},
  create: (context) => new MoeApexCache(context),
};
