import { refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { RandomStream } from "../../core/random.ts";
import { closest } from "../../core/suggest.ts";
import { formatPercent } from "../../core/units.ts";
import qwen3 from "../published/qwen3-30b-a3b.json" with { type: "json" };
import { excessOverlap, overlapOfExcess } from "./excess-overlap.ts";
import { permuted } from "./permutation.ts";
import { popularityShares } from "./popularity-law.ts";
import { routingPreset } from "./routing-presets.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";
import { topicWeights } from "./topic-weights.ts";

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

/** Publications with a routing generator behind them. */
export const publishedRouting = { "qwen3-30b-a3b": qwen3 } satisfies Record<string, PublishedRouting>;

/** Assumed length of a sequence in tokens. */
const sequenceTokens = 256;
/** Overlaps that weights are found at; those of the layers are interpolated between them. */
const nodes = 4;

/** Generator statistics from published numbers; the notes of the origin name each assumption in between. */
export function routingFromPublished(id: string): RoutingStatistics {
  const published = own<PublishedRouting>(publishedRouting, id);
  if (published === undefined) {
    const known = Object.keys(publishedRouting);
    const guess = closest(id, known);
    refuse({
      at: "routing",
      expected: `one of ${known.join(", ")}`,
      found: id,
      ...(guess === null ? {} : { hint: `did you mean ${guess}?` }),
    });
  }
  const { layers } = published;
  const overlaps = layerOverlaps(published);
  const low = Math.min(...overlaps);
  const high = Math.max(...overlaps);
  const figures = Array.from({ length: nodes }, (_, node) =>
    figuresAt(published, low + ((high - low) * node) / (nodes - 1)),
  );
  const places = new RandomStream(0, `published routing ${id}`);
  const layerStatistics = overlaps.map((overlap, layer): LayerStatistics => {
    const at = ((overlap - low) / (high - low)) * (nodes - 1);
    const node = Math.min(nodes - 2, Math.floor(at));
    const [below, above] = [figures[node]!, figures[node + 1]!];
    const order = permuted(published.experts, places.fork(`layer ${layer}`));
    const byRank = (values: readonly number[]): number[] => order.map((rank) => values[rank]!);
    const base = byRank(interpolate(below.base, above.base, at - node));
    return {
      popularity: byRank(interpolate(below.popularity, above.popularity, at - node)),
      hitRate: [],
      base,
      topic: below.topic + (above.topic - below.topic) * (at - node),
      recency: interpolate(below.recency, above.recency, at - node),
      lead: base,
      leadRepeat: 0,
    };
  });
  return {
    format: "moecast.routing-statistics/1",
    experts: published.experts,
    topK: published.topK,
    layers,
    modelLayers: Array.from({ length: layers }, (_, layer) => layer),
    groups: 1,
    domains: [{ name: "published", share: 1, sequenceTokens: [sequenceTokens], layers: layerStatistics }],
    lifts: [],
    pairs: [],
    origin: {
      kind: "synthesised",
      name: `${published.model}, published statistics`,
      digest: "",
      sourceRows: 0,
      phase: published.phase === "decode" ? "decode" : "unknown",
      notes: publishedNotes(published),
    },
  };
}

/**
 * Popularity and weights of a layer with the given overlap. What popularity and the topic of a sequence share with other
 * tokens grows with the overlap, from the figures of the model's family at the published mean.
 */
function figuresAt(published: PublishedRouting, overlap: number) {
  const { experts, topK, adjacentOverlap } = published;
  const { family } = routingPreset(published);
  const strength = excessOverlap(overlap, published) / excessOverlap(adjacentOverlap.mean, published);
  const popularityCv = family.popularityCv.value * Math.sqrt(strength);
  const popularity = popularityShares({ popularityCv }, experts, topK, 1);
  const laterReuse = overlapOfExcess(excessOverlap(family.laterReuse.value, published) * strength, published);
  const fade = family.fade.value;
  return { popularity, ...topicWeights({ experts, topK, groups: 1, popularity, reuse: overlap, laterReuse, fade }) };
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

function publishedNotes(published: PublishedRouting): string[] {
  const layers = published.adjacentOverlap.atLayer.map(([layer]) => layer).join(", ");
  const { popularityCv, laterReuse } = routingPreset(published).family;
  return [
    `synthesised from published statistics of ${published.model}: ${published.source}`,
    `adjacent overlap is published for layers ${layers} and as a mean; interpolated for the others`,
    `popularity varies by ${popularityCv.value}, and tokens 64 apart share ${formatPercent(laterReuse.value)} of their experts, on the mean: ` +
      "fitted to the published distinct experts of batches, LRU hit rates and most popular experts; each layer is assumed to follow its overlap",
    `sequences of ${sequenceTokens} tokens, layers independent of each other, which expert is popular: assumed`,
  ];
}

/** a + (b - a) x weight, element by element. */
function interpolate(a: readonly number[], b: readonly number[], weight: number): number[] {
  return a.map((value, at) => value + (b[at]! - value) * weight);
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
