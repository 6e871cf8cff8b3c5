import { sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { RandomStream } from "../../core/random.ts";
import type { RoutingTable } from "../routing-table.ts";
import { drawRouting, type RoutingModel } from "./draw-routing.ts";
import { type RoutingStatistics, unpackLift } from "./routing-statistics.ts";
import { type SynthesisOptions, sequencePlan } from "./sequence-plan.ts";

/**
 * Generates routing with the given statistics. Equal statistics, options and seed give equal ids; a layer's draws come
 * from its own stream, so that layers do not shift each other.
 */
export function synthesiseRouting(statistics: RoutingStatistics, options: SynthesisOptions): RoutingTable {
  const { experts, topK, layers } = statistics;
  if (!Number.isInteger(options.tokens) || options.tokens < 1)
    refuse({ at: "tokens", expected: "a positive whole number of tokens", found: options.tokens });
  const plan = sequencePlan(statistics, options);
  const ids = drawRouting(routingModel(statistics), plan, new RandomStream(options.seed, "routing synthesis"));
  const digest = sha256(canonicalJson(statistics));
  return {
    experts,
    topK,
    layers,
    rows: options.tokens,
    ids,
    sequenceStarts: plan.starts,
    domains: statistics.domains.map((domain) => domain.name),
    domainStarts: plan.domainStarts,
    modelLayers: statistics.modelLayers,
    origin: {
      ...statistics.origin,
      kind: "synthesised",
      digest,
      sourceRows: options.tokens,
      notes: [...statistics.origin.notes, `synthesised: ${options.tokens} tokens, seed ${options.seed}`],
    },
  };
}

function routingModel(statistics: RoutingStatistics): RoutingModel {
  const pairs = statistics.pairs?.map((text) => Float32Array.from(unpackLift(text), Math.exp)) ?? [];
  const lifts = statistics.lifts?.map((text) => Float32Array.from(unpackLift(text), Math.exp)) ?? [];
  return {
    experts: statistics.experts,
    topK: statistics.topK,
    layers: statistics.layers,
    groups: statistics.groups,
    weights: statistics.domains.map((domain) =>
      domain.layers.map((layer, index) => ({
        base: Float64Array.from(layer.base, Math.exp),
        recency: Float64Array.from(layer.recency, Math.exp),
        lift: lifts[index - 1] ?? null,
        pair: pairs[index] ?? null,
        lead: Float64Array.from(layer.lead, Math.exp),
        leadRepeat: Math.exp(layer.leadRepeat),
      })),
    ),
  };
}
