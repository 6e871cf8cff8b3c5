import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import { noExpertId, type RoutingTable } from "../../trace/routing-table.ts";
import { evenExchange } from "./even-exchange.ts";
import { ExchangeCounter } from "./exchange-counts.ts";
import type { ExpertRanks } from "./expert-ranks.ts";

/** Rows, and choices of them, that are counted at most. */
const rowsMax = 8192;
const choicesMax = 4e6;

/**
 * [layers] bytes that DeepEP's normal mode sends inside and between nodes, over those of evenly picked experts: a token goes once to
 * each node, and there to each rank, with one of its experts.
 */
export interface ExchangeScales {
  readonly near: Float64Array;
  readonly far: Float64Array;
}

/** Experts as if picked evenly. */
export const plainScales = (layers: number): ExchangeScales => ({
  near: new Float64Array(layers).fill(1),
  far: new Float64Array(layers).fill(1),
});

/**
 * Counts the scales of a placement by evenly spaced recorded rows, each read by every data-parallel rank: where a token comes from tells
 * nothing of its experts. With `changed`, those layers of `scales` are counted anew.
 */
export function countScales(
  scales: ExchangeScales,
  table: RoutingTable,
  layerMap: readonly number[],
  placed: ExpertRanks,
  topology: DispatchTopology,
  changed: readonly number[] = [...layerMap.keys()],
): ExchangeScales {
  const chooser = placed.chooser();
  const recorded = changed.map((layer) => layerMap[layer]!);
  const copies = {
    bySource: chooser.bySource,
    rankFor: (at: number, expert: number, device: number, turn: number) =>
      chooser.rankFor(changed[at]!, expert, device, turn),
  };
  const counter = new ExchangeCounter(table, recorded, placed.ranks, copies, topology);
  const choices = layerMap.length * table.topK * (chooser.bySource ? topology.sources : 1);
  const rows = Math.max(1, Math.min(table.rows, rowsMax, Math.floor(choicesMax / choices)));
  const stride = Math.ceil(table.rows / rows);
  const times = new Float64Array(topology.sources).fill(1);
  const even = evenExchange(placed.experts, placed.ranks, table.topK, topology);
  const evenNear = new Float64Array(changed.length);
  const evenFar = new Float64Array(changed.length);
  for (let row = 0; row < table.rows; row += stride) {
    counter.add(row, times);
    for (const [at, layer] of recorded.entries()) {
      const chosen = choicesOf(table, row, layer);
      evenNear[at]! += even.near[chosen]!;
      evenFar[at]! += even.far[chosen]!;
    }
  }
  const { nearByNode, farByNode } = counter.counts;
  for (const [at, layer] of changed.entries()) {
    scales.near[layer] = evenNear[at]! > 0 ? nearByNode[at]! / evenNear[at]! : 1;
    scales.far[layer] = evenFar[at]! > 0 ? farByNode[at]! / evenFar[at]! : 1;
  }
  return scales;
}

/** Experts that a recorded token chose in a layer; without those of choices that have none. */
function choicesOf(table: RoutingTable, row: number, layer: number): number {
  const none = noExpertId(table);
  const from = (row * table.layers + layer) * table.topK;
  let chosen = 0;
  for (let i = from; i < from + table.topK; i++) if (table.ids[i]! < none) chosen++;
  return chosen;
}
