import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import { noExpertId, type RoutingTable } from "../../trace/routing-table.ts";
import { TokenPlaces } from "./token-places.ts";

/** Which copy of an expert a token takes. */
export interface CopyChooser {
  /** Whether it depends on where the token is. */
  readonly bySource: boolean;
  /** Rank of the copy that a token on `device` takes; `turn` counts tokens. */
  rankFor(layer: number, expert: number, device: number, turn: number): number;
}

/**
 * How often tokens go from device to device for the experts of a layer: copies of a token, one way, that leave their device. They go
 * inside a node (`near`) or to another one (`far`), sent once for each expert, for each expert rank with one, or for each node.
 */
export interface ExchangeCounts {
  /** [layers] tokens, expert ranks and nodes that hold an expert of theirs, summed over tokens. */
  readonly tokens: Float64Array;
  readonly ranks: Float64Array;
  readonly nodes: Float64Array;
  readonly nearByExpert: Float64Array;
  readonly farByExpert: Float64Array;
  readonly nearByRank: Float64Array;
  readonly farByRank: Float64Array;
  /** Once over the network to the device of the same place on each node, which hands it on inside the node (DeepEP). */
  readonly nearByNode: Float64Array;
  readonly farByNode: Float64Array;
  /** [sources][ranks] tokens of each data-parallel rank with an expert on each rank, its own included, over all layers. */
  readonly pairs: Float64Array;
}

const newCounts = (layers: number, sources: number, ranks: number): ExchangeCounts => ({
  tokens: new Float64Array(layers),
  ranks: new Float64Array(layers),
  nodes: new Float64Array(layers),
  nearByExpert: new Float64Array(layers),
  farByExpert: new Float64Array(layers),
  nearByRank: new Float64Array(layers),
  farByRank: new Float64Array(layers),
  nearByNode: new Float64Array(layers),
  farByNode: new Float64Array(layers),
  pairs: new Float64Array(sources * ranks),
});

/**
 * Counts the exchange of recorded rows, each read so often by each data-parallel rank. The devices of a data-parallel rank send equal
 * parts of its tokens. Exact where each expert has one copy; where copies take tokens in turn, which of them a row takes is
 * one choice among equals.
 */
export class ExchangeCounter {
  readonly counts: ExchangeCounts;
  private readonly table: RoutingTable;
  private readonly layerMap: readonly number[];
  private readonly copies: CopyChooser;
  private readonly topology: DispatchTopology;
  private readonly rankCount: number;
  /** [sources] reads of the row at hand, and where they are. */
  private readonly times: Float64Array;
  private readonly places: TokenPlaces;
  /** [ranks] layers of the row with an expert on the rank. */
  private readonly touches: Float64Array;
  private readonly rankStamp: Int32Array;
  private readonly nodeStamp: Int32Array;
  private mark = 0;
  private turn = 0;

  constructor(
    table: RoutingTable,
    layerMap: readonly number[],
    ranks: number,
    copies: CopyChooser,
    topology: DispatchTopology,
  ) {
    this.table = table;
    this.layerMap = layerMap;
    this.copies = copies;
    this.topology = topology;
    this.rankCount = ranks;
    this.counts = newCounts(layerMap.length, topology.sources, ranks);
    this.times = new Float64Array(topology.sources);
    this.places = new TokenPlaces(topology, ranks);
    this.touches = new Float64Array(ranks);
    this.rankStamp = new Int32Array(ranks);
    this.nodeStamp = new Int32Array(this.places.onNode.length);
  }

  /** Adds a row that the data-parallel ranks read so often. */
  add(row: number, times: Float64Array): void {
    if (!this.copies.bySource) {
      this.times.set(times);
      this.readRow(row, 0);
      return;
    }
    const { devicesPerSource } = this.topology;
    for (let source = 0; source < times.length; source++) {
      if (times[source] === 0) continue;
      this.times.fill(0);
      this.times[source] = times[source]!;
      this.readRow(row, source * devicesPerSource + (this.turn % devicesPerSource));
    }
  }

  /** @param device where the tokens are, for copies that are chosen by it. */
  private readRow(row: number, device: number): void {
    this.places.place(this.times);
    const { table, layerMap, copies, counts, touches, rankStamp, nodeStamp, places } = this;
    const { near, far, handedOn, onNode, total } = places;
    const none = noExpertId(table);
    const turn = this.turn++;
    touches.fill(0);
    for (let layer = 0; layer < layerMap.length; layer++) {
      const mark = ++this.mark;
      counts.tokens[layer]! += total;
      const from = (row * table.layers + layerMap[layer]!) * table.topK;
      for (let i = from; i < from + table.topK; i++) {
        const expert = table.ids[i]!;
        if (expert >= none) continue;
        const rank = copies.rankFor(layer, expert, device, turn);
        counts.nearByExpert[layer]! += near[rank]!;
        counts.farByExpert[layer]! += far[rank]!;
        if (rankStamp[rank] === mark) continue;
        rankStamp[rank] = mark;
        touches[rank]!++;
        counts.ranks[layer]! += total;
        counts.nearByRank[layer]! += near[rank]!;
        counts.farByRank[layer]! += far[rank]!;
        counts.nearByNode[layer]! += handedOn[rank]!;
        const last = places.lastNode(rank);
        for (let node = places.firstNode(rank); node <= last; node++) {
          if (nodeStamp[node] === mark) continue;
          nodeStamp[node] = mark;
          counts.nodes[layer]! += total;
          counts.farByNode[layer]! += total - onNode[node]!;
        }
      }
    }
    for (let source = 0; source < this.times.length; source++) {
      const times = this.times[source]!;
      if (times === 0) continue;
      for (let rank = 0; rank < this.rankCount; rank++)
        counts.pairs[source * this.rankCount + rank]! += times * touches[rank]!;
    }
  }
}
