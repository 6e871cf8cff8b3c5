import type { RoutingTable } from "../routing-table.ts";
import { shares } from "../stats/popularity.ts";
import { calibrate, type FitOptions, type RoutingGoal } from "./calibrate.ts";
import { LogWeights, type RoutingLogs } from "./routing-logs.ts";
import { type LayerMeasure, measureRouting } from "./routing-measure.ts";
import { describeRouting, type RoutingStatistics } from "./routing-statistics.ts";
import { arrangedByParts, sequenceParts } from "./sequence-parts.ts";

/**
 * Fits the generator to a table: per domain and layer popularity, LRU curve (adjacent overlap is its value at topK
 * slots) and the order of the chosen experts; over all domains the cross-layer transition and the co-selection of
 * experts. Time grows with layers x rounds x tokensPerRound.
 */
export function fitRouting(recorded: RoutingTable, options: FitOptions = {}): RoutingStatistics {
  const table = arrangedByParts(recorded, sequenceParts(recorded));
  const { experts, topK, layers } = table;
  const measure = measureRouting(table);
  const goal: RoutingGoal = {
    experts,
    topK,
    layers,
    groups: 1,
    plan: table.domains.map((_, domain) => ({
      share: (table.domainStarts[domain + 1]! - table.domainStarts[domain]!) / table.rows,
      sequenceTokens: sequenceLengths(table, domain),
    })),
    ...measure,
  };
  const logs: RoutingLogs = {
    domains: measure.domains.map((byLayer) => byLayer.map((layer) => initialLogs(layer, experts))),
    lifts: measure.transitions.map(() => new LogWeights(new Float64Array(experts * experts), topK)),
    pairs: topK === 1 ? [] : measure.pairs.map(() => new LogWeights(new Float64Array(experts * experts), topK)),
  };
  calibrate(logs, goal, depthEdges(experts, topK), options);
  return describeRouting(goal, logs, {
    domains: table.domains,
    modelLayers: table.modelLayers,
    origin: { ...table.origin, notes: [...table.origin.notes, `routing statistics fitted to ${table.rows} tokens`] },
  });
}

function initialLogs(layer: LayerMeasure, experts: number): RoutingLogs["domains"][number][number] {
  return {
    base: new LogWeights(Float64Array.from(shares(layer.counts), (share) => Math.log(share * experts + 1e-3) / 2)),
    recency: new LogWeights(new Float64Array(experts + 1)),
    lead: new LogWeights(new Float64Array(experts)),
    leadRepeat: new LogWeights(new Float64Array(1)),
  };
}

/** Depths of the LRU stack corrected together: single ones up to 2 topK, then bins 15 % wide; first uses apart. */
function depthEdges(experts: number, topK: number): number[] {
  const edges = [0];
  for (let edge = 0; edge < experts; ) {
    edge = Math.min(experts, edge < 2 * topK ? edge + 1 : Math.ceil(edge * 1.15));
    edges.push(edge);
  }
  edges.push(experts + 1);
  return edges;
}

const lengthsMax = 512;

/** Lengths of the sequences of a domain; of many, the means of equally large groups by rank, which keeps the total. */
function sequenceLengths(table: RoutingTable, domain: number): number[] {
  const lengths: number[] = [];
  for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++) {
    const start = table.sequenceStarts[sequence]!;
    if (start >= table.domainStarts[domain]! && start < table.domainStarts[domain + 1]!)
      lengths.push(table.sequenceStarts[sequence + 1]! - start);
  }
  if (lengths.length <= lengthsMax) return lengths;
  lengths.sort((a, b) => a - b);
  return Array.from({ length: lengthsMax }, (_, group) => {
    const from = Math.floor((group * lengths.length) / lengthsMax);
    const to = Math.floor(((group + 1) * lengths.length) / lengthsMax);
    return Math.round(lengths.slice(from, to).reduce((sum, length) => sum + length, 0) / (to - from));
  });
}
