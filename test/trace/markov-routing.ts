import { RandomStream } from "../../src/core/random.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";

export interface MarkovRouting {
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  readonly domains: number;
  readonly sequences: number;
  readonly sequenceTokens: number;
  /** Chance to take an expert of the token before, and to take the image of an expert of the layer above. */
  readonly keep: number;
  readonly follow: number;
  readonly seed: number;
}

/**
 * Routing from a simple chain that shares nothing with the generator under test: each choice repeats an expert of the
 * token before, follows a fixed map from an expert one layer up, or is drawn from a skewed popularity of the domain.
 */
export function markovRouting(options: MarkovRouting): RoutingTable {
  const { experts, topK, layers, domains, sequences, sequenceTokens, keep, follow } = options;
  const random = new RandomStream(options.seed, "markov routing");
  const rows = domains * sequences * sequenceTokens;
  const ids = new Uint8Array(rows * layers * topK);
  for (let row = 0; row < rows; row++) {
    const domain = Math.floor(row / (sequences * sequenceTokens));
    for (let layer = 0; layer < layers; layer++) {
      const at = (row * layers + layer) * topK;
      const chosen = new Set<number>();
      while (chosen.size < topK) {
        const draw = random.uniform();
        const slot = random.below(topK);
        const popular = Math.floor(experts * random.uniform() * random.uniform());
        if (draw < keep && row % sequenceTokens > 0) chosen.add(ids[at - layers * topK + slot]!);
        else if (draw < keep + follow && layer > 0) chosen.add((ids[at - topK + slot]! * 5 + layer) % experts);
        else chosen.add((popular * 3 + layer * 7 + domain * 5) % experts);
      }
      ids.set([...chosen], at);
    }
  }
  return tableOf(ids, { experts, topK, layers, sequenceTokens, domains });
}

/** A table of sequences of equal length, spread evenly over the domains. */
export function tableOf(
  ids: Uint8Array,
  shape: {
    readonly experts: number;
    readonly topK: number;
    readonly layers: number;
    readonly sequenceTokens: number;
    readonly domains?: number;
  },
): RoutingTable {
  const { experts, topK, layers, sequenceTokens, domains = 1 } = shape;
  const rows = ids.length / (layers * topK);
  return {
    experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.from({ length: Math.ceil(rows / sequenceTokens) + 1 }, (_, sequence) =>
      Math.min(rows, sequence * sequenceTokens),
    ),
    domains: Array.from({ length: domains }, (_, domain) => `domain ${domain}`),
    domainStarts: Uint32Array.from({ length: domains + 1 }, (_, domain) => (rows / domains) * domain),
    modelLayers: Array.from({ length: layers }, (_, layer) => layer),
    origin: { kind: "recorded", name: "test", digest: "", sourceRows: rows, phase: "decode", notes: [] },
  };
}
