import { excessOverlap, overlapOfExcess } from "./excess-overlap.ts";
import { popularityShares } from "./popularity-law.ts";
import { routingPreset } from "./routing-presets.ts";
import { type TopicWeights, topicWeights } from "./topic-weights.ts";

/** Routing statistics as a publication gives them: a few numbers for a whole model. */
export interface PublishedRouting {
  readonly id: string;
  readonly model: string;
  readonly modelType: string;
  readonly source: string;
  readonly phase: string;
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  /** Mean over layers of |S(t) and S(t-1)| / topK, and its value at some layers, [layer, value]. */
  readonly adjacentOverlap: { readonly mean: number; readonly atLayer: readonly (readonly number[])[] };
  /** Share of the selections that the most popular experts of a layer take, as a range over tasks. */
  readonly topShare: { readonly experts: number; readonly range: readonly number[] };
  /** Mean over layers of the hit rates of a cache per layer; the figures of the model's family are fitted to them. */
  readonly hitRate: {
    readonly slots: readonly number[];
    readonly lru: readonly number[];
    readonly lfu: readonly number[];
  };
}

/**
 * Overlap of each layer through the published layers: linear, except that the last stretch bends as
 * 1 - x^q with the q that gives the published mean.
 */
export function layerOverlaps({ layers, adjacentOverlap }: PublishedRouting): number[] {
  const points = adjacentOverlap.atLayer;
  const along = (bend: number): number[] =>
    Array.from({ length: layers }, (_, layer) => {
      const next = Math.max(
        1,
        points.findIndex(([at]) => at! >= layer),
      );
      const [fromLayer, from] = points[next - 1]!;
      const [toLayer, to] = points[next]!;
      const x = (layer - fromLayer!) / (toLayer! - fromLayer!);
      const last = next === points.length - 1;
      return from! + (to! - from!) * (last ? Math.exp(bend * Math.log(Math.max(x, 1e-12))) : x);
    });
  const mean = (bend: number): number => along(bend).reduce((sum, overlap) => sum + overlap, 0) / layers;
  return along(bisect((bend) => mean(bend) - adjacentOverlap.mean, 0.05, 20));
}

/** How many overlaps weights are found at. */
const nodes = 4;

/** Overlaps that weights are found at, evenly from the least of the layers to the most; the layers lie between them. */
export function nodeOverlaps(overlaps: readonly number[]): number[] {
  const low = Math.min(...overlaps);
  const high = Math.max(...overlaps);
  return Array.from({ length: nodes }, (_, node) => low + ((high - low) * node) / (nodes - 1));
}

/**
 * What a layer with the given overlap is to show. What popularity and the topic of a sequence share with other tokens grows
 * with the overlap, from the figures of the model's family at the published mean.
 */
export function figuresAt(published: PublishedRouting, overlap: number) {
  const { experts, topK, adjacentOverlap } = published;
  const { family } = routingPreset(published);
  const strength = excessOverlap(overlap, published) / excessOverlap(adjacentOverlap.mean, published);
  const popularityCv = family.popularityCv.value * Math.sqrt(strength);
  const popularity = popularityShares({ popularityCv }, experts, topK, 1);
  const laterReuse = overlapOfExcess(excessOverlap(family.laterReuse.value, published) * strength, published);
  return { experts, topK, groups: 1, popularity, reuse: overlap, laterReuse, fade: family.fade.value };
}

/** Weights at the nodes, found on trial runs. They are stored beside the publication: `npm run generate`. */
export function fittedWeights(published: PublishedRouting): TopicWeights[] {
  return nodeOverlaps(layerOverlaps(published)).map((overlap) => topicWeights(figuresAt(published, overlap)));
}

/** Root of an increasing function, to about 1e-9 of the interval. */
function bisect(increasing: (x: number) => number, low: number, high: number): number {
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
