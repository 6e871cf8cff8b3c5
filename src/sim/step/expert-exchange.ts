import { storageFormats } from "../../core/dtype.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { ExchangeOp } from "../../hardware/op.ts";
import type { MoeFeedForward } from "../../models/spec.ts";
import type { SimConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import type { ExpertSource } from "../routing/expert-source.ts";
import type { RankBatch } from "./batch.ts";
import { activationsFor } from "./feed-forward-program.ts";
import type { LinkTime } from "./link-time.ts";

type Direction = "dispatch" | "combine";

/**
 * Tokens to experts and back under attention data parallelism, as the engine does it. All-to-all volumes follow the
 * replayed routing. A rank sends each token once to every other device of the expert ranks that hold one of its
 * experts. It receives the tokens that chose its own experts. The busiest rank decides.
 */
export class ExpertExchange {
  private readonly config: SimConfig;
  private readonly links: LinkTime;
  private readonly ranks: number;
  private readonly dispatchValueBytes: number;
  private readonly library: ExchangeOp;

  constructor(config: SimConfig, links: LinkTime) {
    this.config = config;
    this.links = links;
    this.ranks = stageRanks(config.mapping);
    this.dispatchValueBytes =
      storageFormats[activationsFor(config.formats.experts, config.node.device)].bitsPerValue / 8;
    this.library = {
      kind: "dispatch",
      mode: "normal",
      tokens: 0,
      hidden: 0,
      topK: 0,
      experts: 0,
      ranks: this.ranks,
      ranksPerNode: config.node.devicesPerNode,
      bytesPerValue: activationBytes,
    };
  }

  /** Time of one direction for a layer of `tokens` tokens in all, ns. */
  ns(
    moe: MoeFeedForward,
    layer: number,
    tokens: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
    direction: Direction,
  ): number {
    if (tokens === 0) return 0;
    const { links, ranks } = this;
    const { mapping, engine } = this.config;
    const valueBytes = direction === "dispatch" ? this.dispatchValueBytes : activationBytes;
    const rowBytes = moe.expertHidden * valueBytes;
    let ns: number;
    switch (engine.expertExchange) {
      case "deepep":
        ns = this.libraryNs(moe, batches, direction, valueBytes);
        break;
      case "allGatherReduceScatter": {
        const kind = direction === "dispatch" ? "allGather" : "reduceScatter";
        ns = links.collectiveNs(kind, gatheredTokens(batches, tokens) * rowBytes, ranks);
        break;
      }
      case "allToAll":
        ns = links.collectiveNs("allToAll", this.busiestTokens(moe, layer, batches, experts) * rowBytes, ranks);
    }
    // The tensor-parallel ranks of a data-parallel rank each sent a share of its tokens. Now they gather the results.
    if (direction === "dispatch" || mapping.tp === 1) return ns;
    const gathered = (tokens / batches.length) * moe.expertHidden * activationBytes;
    return ns + links.collectiveNs("allGather", gathered, mapping.tp);
  }

  /** Tokens to or from others of the rank that sends or receives most. */
  private busiestTokens(
    moe: MoeFeedForward,
    layer: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
  ): number {
    const { tp, etp, ep } = this.config.mapping;
    const spread = experts.spread(layer);
    // Every device of an expert rank needs the token. One of all devices holds it already.
    const remote = 1 - 1 / this.ranks;
    let busiest = 0;
    for (const batch of batches) busiest = Math.max(busiest, (batch.tokens / tp) * spread * etp * remote);
    for (let e = 0; e < ep; e++) busiest = Math.max(busiest, (experts.pairs(layer, e) / moe.topK) * spread * remote);
    return busiest;
  }

  /** Time by an expert-exchange library, ns: its low-latency mode in steps that only decode, else its normal mode. */
  private libraryNs(
    moe: MoeFeedForward,
    batches: readonly RankBatch[],
    direction: Direction,
    valueBytes: number,
  ): number {
    const { library } = this;
    let tokens = 0;
    let prefills = false;
    for (const batch of batches) {
      tokens = Math.max(tokens, batch.tokens);
      prefills ||= batch.prefillTokens > 0;
    }
    library.kind = direction;
    library.mode = prefills ? "normal" : "lowLatency";
    library.tokens = Math.ceil(tokens / this.config.mapping.tp);
    library.hidden = moe.expertHidden;
    library.topK = moe.topK;
    library.experts = moe.experts;
    library.bytesPerValue = valueBytes;
    return this.links.exchangeNs(library);
  }
}

/**
 * Tokens of an even all-gather that takes as long as this one. The rank with the fewest tokens receives most from the
 * others; in an even all-gather each receives (dp - 1) / dp of all.
 */
function gatheredTokens(batches: readonly RankBatch[], tokens: number): number {
  let fewest = tokens;
  for (const batch of batches) fewest = Math.min(fewest, batch.tokens);
  return ((tokens - fewest) * batches.length) / (batches.length - 1);
}
