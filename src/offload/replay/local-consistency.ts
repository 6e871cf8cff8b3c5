import { belady } from "../../policy/cache/belady.ts";
import { lru } from "../../policy/cache/lru.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import {
  expertSegmentRouting,
  modelSegmentRouting,
  type SegmentRouting,
  segmentRouting,
} from "../../trace/stats/segment-routing.ts";
import { type LrcPolicy, lookAhead, lrcLfu, lrcReplay, oneByOne } from "./lrc.ts";
import { segmentCover } from "./segment-cover.ts";

/** Tokens of a segment; most published figures are for 16. */
const segmentTokens = 16;

/** Whether a model suits expert offloading, by the measures of moe-lrc (arXiv 2505.16056). */
export interface LocalConsistency {
  readonly segment: number;
  /** Of all experts of the model; null, as below, where no sequence is as long as a segment. */
  readonly model: SegmentRouting | null;
  readonly layers: readonly {
    readonly modelLayer: number;
    readonly all: SegmentRouting | null;
    readonly experts: readonly (number | null)[];
  }[];
  /** Hit rates in the counting of that paper with rho x topK slots a layer. */
  readonly sizes: readonly {
    readonly rho: number;
    readonly slots: number;
    readonly schStatic: number | null;
    readonly sch: number;
    readonly lru: number;
    readonly lfu: number;
    readonly belady: number;
  }[];
}

export function localConsistency(table: RoutingTable): LocalConsistency {
  const { layers, modelLayers, topK, experts } = table;
  const rate = (slots: number, policy: LrcPolicy) => {
    const { hits, accesses } = lrcReplay(table, slots, policy);
    return accesses === 0 ? 0 : hits / accesses;
  };
  return {
    segment: segmentTokens,
    model: modelSegmentRouting(table, segmentTokens),
    layers: Array.from({ length: layers }, (_, layer) => ({
      modelLayer: modelLayers[layer] ?? layer,
      all: segmentRouting(table, layer, segmentTokens),
      experts: expertSegmentRouting(table, layer, segmentTokens).map((of) => of?.srp ?? null),
    })),
    sizes: [1, 2, 3]
      .filter((rho) => rho * topK <= experts)
      .map((rho) => ({
        rho,
        slots: rho * topK,
        schStatic: segmentCover(table, segmentTokens, rho * topK),
        sch: rate(rho * topK, lookAhead(segmentTokens)),
        lru: rate(rho * topK, oneByOne(lru)),
        lfu: rate(rho * topK, lrcLfu),
        belady: rate(rho * topK, oneByOne(belady)),
      })),
  };
}
