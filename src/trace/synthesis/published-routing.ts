import { refuse } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { RandomStream } from "../../core/random.ts";
import { closest } from "../../core/suggest.ts";
import { formatPercent } from "../../core/units.ts";
import qwen3 from "../published/qwen3-30b-a3b.json" with { type: "json" };
import qwen3Weights from "../published/qwen3-30b-a3b-weights.json" with { type: "json" };
import { figuresAt, layerOverlaps, nodeOverlaps, type PublishedRouting } from "./published-weights.ts";
import { routingPreset } from "./routing-presets.ts";
import type { LayerStatistics, RoutingStatistics } from "./routing-statistics.ts";
import type { TopicWeights } from "./topic-weights.ts";

/** Publications with a routing generator behind them. */
export const publishedRouting = { "qwen3-30b-a3b": qwen3 } satisfies Record<string, PublishedRouting>;
/** Generator weights of each at {@link nodeOverlaps}: the outcome of `fittedWeights`, which takes a second. */
const publishedWeights = { "qwen3-30b-a3b": qwen3Weights } satisfies Record<keyof typeof publishedRouting, unknown>;

/** Assumed length of a sequence in tokens. */
const sequenceTokens = 256;
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
  const nodes = nodeOverlaps(overlaps);
  const [low, high] = [nodes[0]!, nodes[nodes.length - 1]!];
  const figures = nodes.map((overlap, node) => ({
    popularity: figuresAt(published, overlap).popularity,
    ...own<readonly TopicWeights[]>(publishedWeights, id)![node]!,
  }));
  const places = new RandomStream(0, `published routing ${id}`);
  const layerStatistics = overlaps.map((overlap, layer): LayerStatistics => {
    const at = ((overlap - low) / (high - low)) * (nodes.length - 1);
    const node = Math.min(nodes.length - 2, Math.floor(at));
    const [below, above] = [figures[node]!, figures[node + 1]!];
    const order = places.fork(`layer ${layer}`).shuffle([...Array(published.experts).keys()]);
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
