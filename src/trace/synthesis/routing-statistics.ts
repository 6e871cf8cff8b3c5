import type { RoutingOrigin } from "../routing-table.ts";
import { shares } from "../stats/popularity.ts";
import type { LayerGoal, RoutingGoal } from "./calibrate.ts";
import type { ChoiceGroups } from "./choice-groups.ts";
import type { LayerLogs, LogWeights, RoutingLogs } from "./routing-logs.ts";

/**
 * What a routing generator knows about a trace: plain JSON, no recorded row in it. The model behind it draws the
 * topK experts of a token and layer without replacement, with weights
 *   exp(base[e] + topic x (a normal number of e and the sequence) + recency[depth of e in the LRU stack] + sum of lift[expert chosen one layer up][e]
 *       + sum of pair[expert already drawn for this token][e]).
 * The LRU stack of a layer is emptied where a sequence starts. `base` carries popularity, `recency` the reuse at every
 * distance (adjacent overlap and the LRU curve), `lift` the cross-layer transition, `pair` the co-selection.
 */
export interface RoutingStatistics extends ChoiceGroups {
  readonly format: "moecast.routing-statistics/1";
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  readonly modelLayers: readonly number[];
  readonly domains: readonly DomainStatistics[];
  /** Per layer but the last, [experts][experts] towards the next layer, packed; empty where layers are independent. */
  readonly lifts: readonly string[];
  /** Per layer, [experts][experts] between experts of a token, packed; empty where they are independent. */
  readonly pairs: readonly string[];
  readonly origin: RoutingOrigin;
}

/**
 * Statistics of the rows of one domain, or of one part of it: entries of the same name follow each other and make up one
 * domain, whose sequences differ in how much they reuse.
 */
export interface DomainStatistics {
  readonly name: string;
  /** Share of the tokens. */
  readonly share: number;
  /** Lengths of sequences in tokens, each standing for an equal share of the sequences. */
  readonly sequenceTokens: readonly number[];
  readonly layers: readonly LayerStatistics[];
}

/** Targets of one layer, and the log weights that reproduce them. */
export interface LayerStatistics {
  /** Share of the selections each expert takes; sums to 1. */
  readonly popularity: readonly number[];
  /** Event-atomic LRU hit rate with 1 .. experts slots (at topK slots the adjacent overlap); empty if not a target. */
  readonly hitRate: readonly number[];
  /** Log weight of each expert. */
  readonly base: readonly number[];
  /** Log weight at each depth of the LRU stack, 0 = most recent; the last entry is for experts not used so far. */
  readonly recency: readonly number[];
  /** Standard deviation of log weights drawn afresh for each sequence and expert; absent: 0. */
  readonly topic?: number;
  /** Log weight of each chosen expert to be stored first. */
  readonly lead: readonly number[];
  /** Added to the log weight of the expert that was stored first for the token before. */
  readonly leadRepeat: number;
}

/** Puts goals and fitted weights into their JSON form, rounded to five decimals. */
export function describeRouting(
  goal: RoutingGoal,
  logs: RoutingLogs,
  names: {
    readonly domains: readonly string[];
    readonly modelLayers: readonly number[];
    readonly origin: RoutingOrigin;
  },
): RoutingStatistics {
  return {
    format: "moecast.routing-statistics/1",
    experts: goal.experts,
    topK: goal.topK,
    layers: goal.layers,
    modelLayers: names.modelLayers,
    groups: goal.groups,
    domains: goal.plan.map((plan, domain) => ({
      name: names.domains[domain]!,
      ...plan,
      layers: goal.domains[domain]!.map((layer, index) => describeLayer(layer, logs.domains[domain]![index]!)),
    })),
    lifts: logs.lifts.map(packLogs),
    pairs: logs.pairs.map(packLogs),
    origin: names.origin,
  };
}

function describeLayer(goal: LayerGoal, logs: LayerLogs): LayerStatistics {
  const accesses = Math.max(1, goal.curve.accesses);
  return {
    popularity: shares(goal.counts).map(rounded),
    hitRate: Array.from(goal.curve.hits.subarray(1), (hits) => rounded(hits / accesses)),
    base: Array.from(logs.base.logs, rounded),
    recency: Array.from(logs.recency.logs, rounded),
    lead: Array.from(logs.lead.logs, rounded),
    leadRepeat: rounded(logs.leadRepeat.logs[0]!),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

/** Packed logs are base64 of little-endian int16 in this unit. */
const packedUnit = 1 / 256;

function packLogs({ logs }: LogWeights): string {
  const packed = Buffer.alloc(logs.length * 2);
  for (let at = 0; at < logs.length; at++) packed.writeInt16LE(Math.round(logs[at]! / packedUnit), at * 2);
  return packed.toString("base64");
}

/** Weights (not logs) of a packed matrix. */
export function unpackWeights(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  const weights = new Float32Array(bytes.length / 2);
  for (let at = 0; at < weights.length; at++) weights[at] = Math.exp(bytes.readInt16LE(at * 2) * packedUnit);
  return weights;
}
