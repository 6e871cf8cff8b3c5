import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { ExchangeCounter, type ExchangeCounts } from "./exchange-counts.ts";
import type { ExpertRanks } from "./expert-ranks.ts";

/** Rows, and choices of them, that are counted at most. */
const rowsMax = 8192;
const choicesMax = 4e6;

/**
 * [layers] bytes that a placement has DeepEP's normal mode send inside and between nodes, over those of the contiguous placement: a token
 * goes once to each node, and there to each rank, with one of its experts.
 */
export interface ExchangeScales {
  readonly near: Float64Array;
  readonly far: Float64Array;
}

/** No placement but the contiguous one. */
export const plainScales = (layers: number): ExchangeScales => ({
  near: new Float64Array(layers).fill(1),
  far: new Float64Array(layers).fill(1),
});

/** Scales by evenly spaced recorded rows, each read by every data-parallel rank: where a token comes from tells nothing of its experts. */
export function exchangeScales(
  table: RoutingTable,
  layerMap: readonly number[],
  placed: ExpertRanks,
  contiguous: ExpertRanks,
  topology: DispatchTopology,
): ExchangeScales {
  const [own, plain] = [placed, contiguous].map((ranks) => counted(table, layerMap, ranks, topology));
  const ratio = (of: (counts: ExchangeCounts) => Float64Array) =>
    of(own!).map((value, layer) => (of(plain!)[layer]! > 0 ? value / of(plain!)[layer]! : 1));
  return { near: ratio(({ nearByNode }) => nearByNode), far: ratio(({ farByNode }) => farByNode) };
}

function counted(
  table: RoutingTable,
  layerMap: readonly number[],
  ranks: ExpertRanks,
  topology: DispatchTopology,
): ExchangeCounts {
  const chooser = ranks.chooser();
  const counter = new ExchangeCounter(table, layerMap, ranks.ranks, chooser, topology);
  const choices = layerMap.length * table.topK * (chooser.bySource ? topology.sources : 1);
  const rows = Math.max(1, Math.min(table.rows, rowsMax, Math.floor(choicesMax / choices)));
  const stride = Math.ceil(table.rows / rows);
  const times = new Float64Array(topology.sources).fill(1);
  for (let row = 0; row < table.rows; row += stride) counter.add(row, times);
  return counter.counts;
}
