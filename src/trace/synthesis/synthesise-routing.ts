import { sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { RandomStream } from "../../core/random.ts";
import { type Steps, withoutPause } from "../../core/steps.ts";
import type { RoutingTable } from "../routing-table.ts";
import { drawRouting, type RoutingModel } from "./draw-routing.ts";
import { type RoutingStatistics, unpackWeights } from "./routing-statistics.ts";
import { type SequencePlan, sequencePlan } from "./sequence-plan.ts";

export interface SynthesisOptions {
  /** Rows to generate, all domains together. */
  readonly tokens: number;
  readonly seed: number;
  /** Lengths of sequences in tokens, for every domain; the recorded lengths of each domain by default. */
  readonly sequenceTokens?: readonly number[];
}

/**
 * Generates routing with the given statistics. Equal statistics, options and seed give equal ids. The digest in the
 * origin is that of the statistics.
 */
export const synthesiseRouting = (statistics: RoutingStatistics, options: SynthesisOptions): RoutingTable =>
  withoutPause(synthesisSteps(statistics, options));

/** The same with pauses. */
export function* synthesisSteps(statistics: RoutingStatistics, options: SynthesisOptions): Steps<RoutingTable> {
  const { tokens, seed, sequenceTokens } = options;
  if (!Number.isSafeInteger(tokens) || tokens < 1)
    refuse({ at: "tokens", expected: "a positive whole number of tokens", found: tokens });
  const streams = new RandomStream(seed, "routing synthesis");
  const domains = statistics.domains.map((domain) => ({
    share: domain.share,
    sequenceTokens: sequenceTokens ?? domain.sequenceTokens,
  }));
  const plan = sequencePlan(domains, tokens, streams.fork("lengths"));
  return {
    experts: statistics.experts,
    topK: statistics.topK,
    layers: statistics.layers,
    rows: tokens,
    ids: yield* drawRouting(modelOf(statistics), plan, streams),
    sequenceStarts: plan.starts,
    ...joinParts(statistics, plan),
    modelLayers: statistics.modelLayers,
    origin: {
      ...statistics.origin,
      kind: "synthesised",
      digest: sha256(canonicalJson(statistics)),
      sourceRows: tokens,
      notes: [...statistics.origin.notes, `${tokens} tokens synthesised with seed ${seed}`],
    },
  };
}

/** Parts of one name become one domain. */
function joinParts({ domains }: RoutingStatistics, plan: SequencePlan): Pick<RoutingTable, "domains" | "domainStarts"> {
  const first = domains.map(({ name }, index) => domains[index - 1]?.name !== name);
  return {
    domains: domains.filter((_, index) => first[index]).map(({ name }) => name),
    domainStarts: plan.domainStarts.filter((_, index) => first[index] ?? true),
  };
}

function modelOf(statistics: RoutingStatistics): RoutingModel {
  const lifts = statistics.lifts.map(unpackWeights);
  const pairs = statistics.pairs.map(unpackWeights);
  const weights = statistics.domains.map((domain) =>
    domain.layers.map((layer, index) => ({
      base: Float64Array.from(layer.base, Math.exp),
      recency: Float64Array.from(layer.recency, Math.exp),
      topic: layer.topic ?? 0,
      lift: lifts[index - 1] ?? null,
      pair: pairs[index] ?? null,
      lead: Float64Array.from(layer.lead, Math.exp),
      leadRepeat: Math.exp(layer.leadRepeat),
    })),
  );
  return { ...statistics, weights };
}
