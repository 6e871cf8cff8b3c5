import type { RoutingTable } from "../routing-table.ts";
import { type BatchSteps, batchSteps, distinctPerWindow, uniformDistinct } from "./distinct-experts.ts";
import { addCurves, globalLruCurve, hitRate, layerLruCurve } from "./lru-curve.ts";
import { type NextLayer, nextLayer } from "./next-layer.ts";
import { overlapAtLag } from "./overlap.ts";
import {
  coefficientOfVariation,
  contiguousRankLoads,
  expertCounts,
  maxOverMean,
  shares,
  totalVariation,
} from "./popularity.ts";
import { type ReuseGaps, reuseGaps } from "./reuse-gap.ts";
import { segmentRouting } from "./segment-routing.ts";

export interface TraceStatsOptions {
  /** Ranks of a contiguous expert placement to judge balance by; 8 by default. */
  readonly ranks?: number;
  /** Window lengths in tokens for distinct experts. */
  readonly windows?: readonly number[];
  /** Row distances for overlap. */
  readonly lags?: readonly number[];
  /** Sequences run side by side for the batch statistics; 32 by default, fewer if the trace has fewer. */
  readonly batchSequences?: number;
  /**
   * Per layer a table of that layer alone with every row it recorded, for traces whose layers lack different rows: what
   * concerns one layer is then measured on all its rows, and `table` only gives what joins layers.
   */
  readonly layerTables?: readonly RoutingTable[];
}

/** Skew, locality and structure of a routing trace; plain JSON. Rates are shares in 0 .. 1. */
export interface TraceStats {
  readonly name: string;
  readonly rows: number;
  readonly sequences: number;
  readonly experts: number;
  readonly topK: number;
  readonly ranks: number;
  /** Overlap of two tokens that choose uniformly: topK / experts. */
  readonly uniformOverlap: number;
  readonly domains: readonly { readonly name: string; readonly rows: number; readonly share: number }[];
  /** Total variation between the popularity of two domains, mean over layers: [domain][domain]. */
  readonly domainDistance: readonly (readonly number[])[];
  readonly layers: readonly LayerStats[];
  /** Event-atomic LRU with one cache per layer of the same size: mean hit rate with 1 .. experts slots a layer. */
  readonly hitRate: readonly number[];
  /** The same with one cache for all layers: hit rate with s x layers slots, s = 1 .. experts. */
  readonly globalHitRate: readonly number[];
}

export interface LayerStats {
  readonly modelLayer: number;
  /** Share of the selections by expert. */
  readonly popularity: readonly number[];
  /** Most over mean load of an expert, and the coefficient of variation of the loads. */
  readonly maxOverMean: number;
  readonly coefficientOfVariation: number;
  /** Most over mean load of a rank under contiguous placement on `ranks` ranks. */
  readonly rankMaxOverMean: number;
  /** Mean of |S(t) and S(t-1)| / topK inside a sequence. */
  readonly adjacentOverlap: number;
  /** Share of the tokens whose first stored expert is that of the token before. */
  readonly leadRepeat: number;
  /** SRP of 16 consecutive tokens, see {@link segmentRouting}; null where no sequence is as long. */
  readonly segmentRouting: number | null;
  readonly overlapByLag: readonly { readonly lag: number; readonly share: number }[];
  readonly reuseGaps: ReuseGaps;
  readonly distinct: readonly { readonly tokens: number; readonly experts: number; readonly uniform: number }[];
  readonly batch: BatchSteps | null;
  /** Towards the next recorded layer; null for the last. */
  readonly next: NextLayer | null;
  /** Hit rate of an LRU cache of this layer with 1 .. experts slots. */
  readonly hitRate: readonly number[];
  readonly coldMissShare: number;
}

/** Tokens of a segment; published figures are for 16 too. */
const segmentTokens = 16;

/** Computes all statistics of a table. Passes over the rows once per layer and statistic. */
export function traceStats(table: RoutingTable, options: TraceStatsOptions = {}): TraceStats {
  const { experts, topK, rows } = table;
  const ranks = Math.min(options.ranks ?? 8, experts);
  const windows = options.windows ?? [1, 2, 4, 8, 16, 32, 64, 128, 256];
  const lags = options.lags ?? [1, 2, 4, 8, 16, 32, 64];
  const sequences = table.sequenceStarts.length - 1;
  const batch = Array.from({ length: Math.min(options.batchSequences ?? 32, sequences) }, (_, sequence) => sequence);
  const layerRows = Array.from({ length: table.layers }, (_, layer) => {
    const own = options.layerTables?.[layer];
    return own === undefined ? { own: table, at: layer } : { own, at: 0 };
  });
  const curves = layerRows.map(({ own, at }) => layerLruCurve(own, at));
  const layers = curves.map((curve, layer): LayerStats => {
    const { own, at } = layerRows[layer]!;
    const counts = expertCounts(own, at);
    const adjacent = overlapAtLag(own, at, 1);
    return {
      modelLayer: table.modelLayers[layer] ?? layer,
      popularity: shares(counts),
      maxOverMean: maxOverMean(counts),
      coefficientOfVariation: coefficientOfVariation(counts),
      rankMaxOverMean: maxOverMean(contiguousRankLoads(counts, ranks)),
      adjacentOverlap: adjacent.share,
      leadRepeat: adjacent.leadRepeat,
      segmentRouting: segmentRouting(own, at, segmentTokens)?.srp ?? null,
      overlapByLag: lags.flatMap((lag) => {
        const { pairs, share } = overlapAtLag(own, at, lag);
        return pairs === 0 ? [] : [{ lag, share }];
      }),
      reuseGaps: reuseGaps(own, at),
      distinct: windows.flatMap((tokens) => {
        const distinct = distinctPerWindow(own, at, tokens);
        return distinct === null
          ? []
          : [{ tokens, experts: distinct, uniform: uniformDistinct(experts, topK, tokens) }];
      }),
      batch: batchSteps(own, at, batch),
      next: layer + 1 < table.layers ? nextLayer(table, layer) : null,
      hitRate: Array.from({ length: experts }, (_, size) => hitRate(curve, size + 1)),
      coldMissShare: curve.accesses === 0 ? 0 : curve.coldMisses / curve.accesses,
    };
  });
  const all = addCurves(curves);
  const global = globalLruCurve(table);
  return {
    name: table.origin.name,
    rows,
    sequences,
    experts,
    topK,
    ranks,
    uniformOverlap: topK / experts,
    domains: table.domains.map((name, domain) => {
      const count = table.domainStarts[domain + 1]! - table.domainStarts[domain]!;
      return { name, rows: count, share: rows === 0 ? 0 : count / rows };
    }),
    domainDistance: domainDistances(table),
    layers,
    hitRate: Array.from({ length: experts }, (_, size) => hitRate(all, size + 1)),
    globalHitRate: Array.from({ length: experts }, (_, size) => hitRate(global, (size + 1) * table.layers)),
  };
}

function domainDistances(table: RoutingTable): number[][] {
  const { domainStarts, layers } = table;
  const popularity = table.domains.map((_, domain) =>
    Array.from({ length: layers }, (_, layer) =>
      shares(expertCounts(table, layer, domainStarts[domain]!, domainStarts[domain + 1]!)),
    ),
  );
  return popularity.map((a) =>
    popularity.map((b) => a.reduce((sum, shareOf, layer) => sum + totalVariation(shareOf, b[layer]!), 0) / layers),
  );
}
