import type { Placement } from "../policy/placement/placement.ts";
import { ranksOf } from "../policy/placement/placement-measures.ts";
import { noExpertId, type RoutingTable } from "../trace/routing-table.ts";
import type { RankTopology } from "./rank-topology.ts";

/** Where the tokens of recorded routing go under a placement; means per token and MoE layer. */
export interface RankTraffic {
  /** Ranks and nodes that hold an expert of the token. */
  readonly ranksTouched: number;
  readonly nodesTouched: number;
  /**
   * Copies of a token that stay on its rank, go to another of its node and to other nodes, where a token is sent once to every rank
   * that has one of its experts and comes from any rank alike.
   */
  readonly onRank: number;
  readonly inNode: number;
  readonly betweenNodes: number;
  /** Share of the pairs of an expert and one of the next layer, of the same token, that lie on one rank; null with one layer. */
  readonly staysOnRank: number | null;
}

/** Steps of the inner loops at most; of a longer recording evenly spaced rows are taken. */
const workMax = 8_000_000;

/**
 * Counts them over the rows. Of an expert with copies each token has one, in turn, as the copies share its tokens evenly.
 * @param layerMap [MoE layers] trace layer of each
 */
export function rankTraffic(
  placement: Placement,
  table: RoutingTable,
  layerMap: readonly number[],
  { ranks, nodeOf, nodes }: RankTopology,
): RankTraffic {
  const copies = ranksOf(placement);
  const { layers, topK, ids, rows, experts } = table;
  const depth = layerMap.length;
  const stride = Math.max(1, Math.ceil((rows * depth * topK * topK) / workMax));
  const none = noExpertId(table);
  const rankMark = new Int32Array(ranks).fill(-1);
  const nodeMark = new Int32Array(nodes).fill(-1);
  const perNode = new Float64Array(nodes);
  for (const node of nodeOf) perNode[node]! += 1;
  let mark = 0;
  let tokens = 0;
  let touched = 0;
  let touchedNodes = 0;
  let inNode = 0;
  let pairs = 0;
  let stays = 0;
  let before = new Int32Array(topK);
  let here = new Int32Array(topK);
  for (let row = 0; row < rows; row += stride) {
    let chosenBefore = 0;
    for (let layer = 0; layer < depth; layer++, mark++) {
      const from = (row * layers + layerMap[layer]!) * topK;
      let chosen = 0;
      for (let at = from; at < from + topK; at++) {
        const expert = ids[at]!;
        if (expert === none) continue;
        const first = copies.starts[layer * experts + expert]!;
        const count = copies.starts[layer * experts + expert + 1]! - first;
        const rank = copies.ranks[first + (count === 1 ? 0 : (row + expert) % count)]!;
        here[chosen++] = rank;
        if (rankMark[rank] === mark) continue;
        rankMark[rank] = mark;
        touched++;
        const node = nodeOf[rank]!;
        inNode += (perNode[node]! - 1) / ranks;
        if (nodeMark[node] === mark) continue;
        nodeMark[node] = mark;
        touchedNodes++;
      }
      for (let a = 0; a < chosenBefore; a++) for (let b = 0; b < chosen; b++) if (before[a] === here[b]) stays++;
      pairs += chosenBefore * chosen;
      [before, here] = [here, before];
      chosenBefore = chosen;
    }
    tokens += depth;
  }
  const each = (sum: number) => (tokens === 0 ? 0 : sum / tokens);
  const all = each(touched);
  const near = each(inNode);
  return {
    ranksTouched: all,
    nodesTouched: each(touchedNodes),
    onRank: all / ranks,
    inNode: near,
    betweenNodes: Math.max(0, all - all / ranks - near),
    staysOnRank: pairs === 0 ? null : stays / pairs,
  };
}
