import { refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { RandomStream } from "../../core/random.ts";
import { closest } from "../../core/suggest.ts";
import qwen3 from "../published/qwen3-30b-a3b.json" with { type: "json" };
import { bisect, coveredShare, excessOverlap, type LocalityShape, solveShape } from "./locality-curve.ts";
import { localityWeights } from "./locality-weights.ts";
import { permuted } from "./permutation.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";

/** Routing statistics as a publication gives them: a few numbers for a whole model. */
export interface PublishedRouting {
  readonly id: string;
  readonly model: string;
  readonly source: string;
  readonly phase: string;
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  /** Mean over layers of |S(t) and S(t-1)| / topK, and its value at some layers, [layer, value]. */
  readonly adjacentOverlap: { readonly mean: number; readonly atLayer: readonly (readonly number[])[] };
  /** Share of the selections that the most popular experts of a layer take, as a range over tasks. */
  readonly topShare: { readonly experts: number; readonly range: readonly number[] };
  /** Mean over layers of the hit rates of a cache per layer. */
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
/**
 * Assumed share of the accesses that are first uses in a sequence: the published clairvoyant optimum misses 7.1 % with
 * 64 slots, most of which only first uses explain; 5 % is 102 of 128 experts used in 256 tokens.
 */
const coldShare = 0.05;
/** Overlaps that weights are fitted at; those of the layers are interpolated between them. */
const nodes = 8;

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
  const { experts, topK, layers, hitRate } = published;
  const overlaps = layerOverlaps(published);
  const { lru, lfu } = publishedShapes(published);
  const low = Math.min(...overlaps);
  const high = Math.max(...overlaps);
  const nodeOverlaps = Array.from({ length: nodes }, (_, node) => low + ((high - low) * node) / (nodes - 1));
  const goals = nodeOverlaps.map((overlap) => {
    return {
      popularity: popularityByRank(lfu, excessOverlap(overlap, topK, experts), topK, experts),
      hitRate: hitRate.slots.map((size) => hitRateAt(lru, size, overlap, topK, experts)),
    };
  });
  const fitted = localityWeights({ experts, topK, groups: 1 }, hitRate.slots, goals, sequenceTokens, {
    rounds: 20,
    tokensPerRound: 2560,
  });
  const places = new RandomStream(0, `published routing ${id}`);
  const layerStatistics = overlaps.map((overlap, layer): LayerStatistics => {
    const at = ((overlap - low) / (high - low)) * (nodes - 1);
    const node = Math.min(nodes - 2, Math.floor(at));
    const blend = (pick: (index: number) => ArrayLike<number>): number[] =>
      interpolate(pick(node), pick(node + 1), at - node);
    const order = permuted(experts, places.fork(`layer ${layer}`));
    const byRank = (values: readonly number[]): number[] => order.map((rank) => values[rank]!);
    const base = byRank(blend((index) => fitted.domains[0]![index]!.base.logs));
    return {
      popularity: byRank(popularityByRank(lfu, excessOverlap(overlap, topK, experts), topK, experts)),
      hitRate: Array.from({ length: experts }, (_, size) => hitRateAt(lru, size + 1, overlap, topK, experts)),
      base,
      recency: blend((index) => fitted.domains[0]![index]!.recency.logs),
      lead: base,
      leadRepeat: 0,
    };
  });
  return {
    format: "moecast.routing-statistics/1",
    experts,
    topK,
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

/** Shapes of the LRU and popularity curves whose means over the layers pass through the published rates. */
function publishedShapes(published: PublishedRouting): {
  readonly lru: LocalityShape;
  readonly lfu: LocalityShape;
} {
  const { experts, topK, hitRate } = published;
  const overlaps = layerOverlaps(published);
  const reused = overlaps.map((overlap) => excessOverlap(overlap / (1 - coldShare), topK, experts));
  const popular = overlaps.map((overlap) => excessOverlap(overlap, topK, experts));
  return {
    lru: solveShape(
      hitRate.slots,
      hitRate.lru.map((rate) => rate / (1 - coldShare)),
      reused,
      topK,
      experts,
    ),
    lfu: solveShape(hitRate.slots, hitRate.lfu, popular, topK, experts),
  };
}

function hitRateAt(lru: LocalityShape, size: number, overlap: number, topK: number, experts: number): number {
  const strength = excessOverlap(overlap / (1 - coldShare), topK, experts);
  return (1 - coldShare) * coveredShare(lru, size, strength, topK, experts);
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

/** Share of each expert, most popular first, from the covered share of the c most popular ones. */
function popularityByRank(shape: LocalityShape, strength: number, topK: number, experts: number): number[] {
  const first = coveredShare(shape, topK, strength, topK, experts);
  const cumulative = Array.from({ length: experts + 1 }, (_, size) =>
    size <= topK ? (first * size) / topK : size === experts ? 1 : coveredShare(shape, size, strength, topK, experts),
  );
  return Array.from({ length: experts }, (_, rank) => Math.max(1e-6, cumulative[rank + 1]! - cumulative[rank]!)).sort(
    (a, b) => b - a,
  );
}

function publishedNotes(published: PublishedRouting): string[] {
  const { adjacentOverlap, hitRate } = published;
  const layers = adjacentOverlap.atLayer.map(([layer]) => layer).join(", ");
  return [
    `synthesised from published statistics of ${published.model}: ${published.source}`,
    `adjacent overlap is published for layers ${layers} and as a mean; interpolated for the others`,
    `LRU hit rates and popularity are published as means over layers at ${hitRate.slots.join(", ")} slots; each layer is assumed to follow them by its overlap`,
    "popularity is read from the published LFU hit rates",
    `first uses in a sequence are ${coldShare * 100} % of the accesses, sequences of ${sequenceTokens} tokens, layers independent of each other, which expert is popular: assumed`,
  ];
}

/** a + (b - a) x weight, element by element. */
function interpolate(a: ArrayLike<number>, b: ArrayLike<number>, weight: number): number[] {
  return Array.from({ length: a.length }, (_, at) => a[at]! + (b[at]! - a[at]!) * weight);
}
