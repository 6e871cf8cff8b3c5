import { exchangeLibrary, gathersTokens, lowLatency } from "../../engine/exchange/expert-exchange.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import type { PoolConfig } from "../config.ts";
import { exchangesTokens, moeShape } from "../mapping.ts";
import type { ExchangeResult } from "../result.ts";
import { dispatchValueBytes } from "../step/dispatch-bytes.ts";
import { ExchangeCounter, type ExchangeCounts } from "./exchange-counts.ts";
import type { ExpertRanks } from "./expert-ranks.ts";
import type { RoutingReplay } from "./routing-replay.ts";

/** Choices of recorded tokens that are counted one by one; of more, evenly spaced rows. */
const choicesMax = 2e6;

/** Counters of reads that are kept at most, by reader and recorded row: 128 MB. */
const countersMax = 32e6;

/**
 * What the expert ranks of a replica sent one another over a run, counted from how often each data-parallel rank read each recorded
 * row. Steps that decode only and others are counted apart where the exchange differs.
 */
export class ExchangeRecord {
  private readonly config: PoolConfig;
  private readonly replay: RoutingReplay;
  private readonly expertRanks: ExpertRanks;
  private readonly topology: DispatchTopology;
  private readonly layerMap: readonly number[];

  constructor(
    config: PoolConfig,
    replay: RoutingReplay,
    expertRanks: ExpertRanks,
    topology: DispatchTopology,
    layerMap: readonly number[],
  ) {
    this.config = config;
    this.replay = replay;
    this.expertRanks = expertRanks;
    this.topology = topology;
    this.layerMap = layerMap;
  }

  /**
   * Whether a run counts what ranks send: with one copy of the set of experts and one map for good, and where the counters of the
   * recorded rows do not take too much memory.
   */
  static counts({ mapping, rebalance, engine }: PoolConfig, rows: number): boolean {
    return mapping.edp === 1 && rebalance === undefined && mapping.dp * modesOf(engine) * rows <= countersMax;
  }

  /** Readers of a replay: the data-parallel ranks, for each mode of the exchange; one where nothing is counted. */
  static readers(config: PoolConfig, rows: number): number {
    return ExchangeRecord.counts(config, rows) ? config.mapping.dp * modesOf(config.engine) : 1;
  }

  /** The reader of the first data-parallel rank in a step. */
  static firstReader({ mapping, engine }: PoolConfig, prefills: boolean): number {
    return modesOf(engine) === 2 && !prefills ? mapping.dp : 0;
  }

  /** What was sent; null where no token was routed. */
  result(): ExchangeResult | null {
    const { config } = this;
    const { share, modes } = this.counted();
    const total = (of: (counts: ExchangeCounts) => Float64Array) =>
      modes.reduce((sum, counts) => sum + sumOf(of(counts)), 0);
    const tokens = total((counts) => counts.tokens);
    if (tokens === 0) return null;
    const sends = exchangesTokens(config.mapping) && !gathersTokens(config.engine.expertExchange);
    return {
      ranksPerToken: total(({ ranks }) => ranks) / tokens,
      nodesPerToken: total(({ nodes }) => nodes) / tokens,
      bytes: sends ? this.bytes(modes) : null,
      countedShare: share,
      busiest: sends ? this.busiest(modes) : null,
    };
  }

  /** Counts by mode of the exchange, of a share of the rows read, scaled to all reads. */
  private counted(): { readonly share: number; readonly modes: readonly ExchangeCounts[] } {
    const { replay, expertRanks, topology, layerMap } = this;
    const { table } = replay;
    let rows = 0;
    let reads = 0;
    replay.eachReadRow((_row, times) => {
      rows++;
      for (const count of times) reads += count;
    });
    const stride = Math.max(1, Math.ceil((rows * layerMap.length * table.topK) / choicesMax));
    let next = 0;
    let sampled = 0;
    if (stride > 1)
      replay.eachReadRow((_row, times) => {
        if (next++ % stride === 0) for (const count of times) sampled += count;
      });
    const scale = stride > 1 ? reads / sampled : 1;
    const counters = Array.from(
      { length: modesOf(this.config.engine) },
      () => new ExchangeCounter(table, layerMap, expertRanks.ranks, expertRanks.chooser(), topology),
    );
    next = 0;
    const own = new Float64Array(topology.sources);
    replay.eachReadRow((row, times) => {
      if (next++ % stride !== 0) return;
      for (const [mode, counter] of counters.entries()) {
        let any = 0;
        for (let source = 0; source < own.length; source++) {
          const count = times[mode * own.length + source]!;
          own[source] = count * scale;
          any += count;
        }
        if (any > 0) counter.add(row, own);
      }
    });
    return { share: 1 / stride, modes: counters.map(({ counts }) => counts) };
  }

  /** Bytes inside and between nodes, each way. */
  private bytes(modes: readonly ExchangeCounts[]): NonNullable<ExchangeResult["bytes"]> {
    const { config } = this;
    let near = 0;
    let far = 0;
    for (const [mode, counts] of modes.entries()) {
      const [inside, between] = sentOf(counts, config.engine.expertExchange, mode === 0);
      near += sumOf(inside);
      far += sumOf(between);
    }
    const hidden = moeShape(config.model)!.expertHidden;
    const each = (valueBytes: number) => ({ near: near * hidden * valueBytes, far: far * hidden * valueBytes });
    return { dispatch: each(dispatchValueBytes(config)), combine: each(activationBytes) };
  }

  /** Tokens between different ranks, each once to a rank: of the busiest over those of the mean rank. */
  private busiest(modes: readonly ExchangeCounts[]): NonNullable<ExchangeResult["busiest"]> {
    const { sources, devicesPerSource, devicesPerRank } = this.topology;
    const { ranks } = this.expertRanks;
    const sent = new Float64Array(sources);
    const received = new Float64Array(ranks);
    for (const { pairs } of modes)
      for (let source = 0; source < sources; source++)
        for (let rank = 0; rank < ranks; rank++) {
          const overlap =
            Math.min((source + 1) * devicesPerSource, (rank + 1) * devicesPerRank) -
            Math.max(source * devicesPerSource, rank * devicesPerRank);
          const away = pairs[source * ranks + rank]! * (1 - Math.max(0, overlap) / devicesPerSource);
          sent[source]! += away;
          received[rank]! += away;
        }
    const ratio = (of: Float64Array) => {
      const sum = sumOf(of);
      return sum === 0 ? 1 : (Math.max(...of) * of.length) / sum;
    };
    return { sender: ratio(sent), receiver: ratio(received) };
  }
}

/** Modes of the exchange that differ in what they send: of steps with prompts, and of others where these differ. */
const modesOf = ({ expertExchange }: PoolConfig["engine"]): number => (expertExchange === "deepep" ? 2 : 1);

/** Copies of tokens that an exchange sends inside nodes and between them, by layer. */
function sentOf(
  counts: ExchangeCounts,
  exchange: PoolConfig["engine"]["expertExchange"],
  prefills: boolean,
): readonly [near: Float64Array, far: Float64Array] {
  if (exchangeLibrary(exchange) !== "deepep") return [counts.nearByRank, counts.farByRank];
  return lowLatency(exchange, prefills)
    ? [counts.nearByExpert, counts.farByExpert]
    : [counts.nearByNode, counts.farByNode];
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
