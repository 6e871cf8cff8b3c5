import { exchangeLibrary, lowLatency } from "../../engine/exchange/expert-exchange.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { ElementwiseOp, ExchangeOp } from "../../hardware/op.ts";
import type { MoeFeedForward } from "../../models/spec.ts";
import type { PoolConfig } from "../config.ts";
import { expertGroupRanks, sharersOf, sourcesPerGroup } from "../mapping.ts";
import { reachOf } from "../mapping-over-nodes.ts";
import type { LayerCall } from "../routing/layer-call.ts";
import type { RankBatch } from "./batch.ts";
import { dispatchValueBytes } from "./dispatch-bytes.ts";
import type { LinkTime } from "./link-time.ts";

type Direction = "dispatch" | "combine";

/**
 * Share of a device's multiprocessors that DeepEP's normal mode takes: its default of 20 among the 132 of an H100 or
 * H200. Engines launch products beside it on the rest, also while nothing is in flight (SGLang: deep_gemm_num_sms; vLLM:
 * VLLM_DBO_COMM_SMS). The kernels inside an NVLink domain are taken alike.
 */
const normalModeShare = 20 / 132;
/**
 * The same of low-latency combining beside the last product of the experts, as SGLang divides them (compute_overlap_args):
 * 3 of 132, on Blackwell 32 of 148.
 */
const combineShare = { hopper: 3 / 132, blackwell: 32 / 148 } as const;

/**
 * Tokens to experts and back under attention data parallelism, as the engine does it. All-to-all volumes follow the
 * replayed routing. A rank sends each token once to every other device of the expert ranks that hold one of its
 * experts. It receives the tokens that chose its own experts. The busiest rank decides.
 */
export class ExpertExchange {
  private readonly config: PoolConfig;
  private readonly cost: CostModel;
  private readonly links: LinkTime;
  /** Devices of an expert group: tokens travel among these. */
  private readonly ranks: number;
  /** Devices that send a share each of the tokens of a data-parallel rank. */
  private readonly sharers: number;
  /** Groups, and the context-parallel parts of data-parallel ranks that each serves. */
  private readonly groups: number;
  private readonly sources: number;
  private readonly dispatchValueBytes: number;
  private readonly library: ExchangeOp;
  /** What of a low-latency exchange stays inside a node or a rack's domain. */
  private readonly near: ExchangeOp;
  /** Messages of a low-latency exchange at both ends. */
  private readonly ends: ElementwiseOp = { kind: "elementwise", bytes: 0 };

  constructor(config: PoolConfig, cost: CostModel, links: LinkTime) {
    this.config = config;
    this.cost = cost;
    this.links = links;
    this.ranks = expertGroupRanks(config.mapping);
    this.sharers = sharersOf(config.mapping);
    this.groups = config.mapping.edp;
    this.sources = sourcesPerGroup(config.mapping);
    this.dispatchValueBytes = dispatchValueBytes(config);
    this.library = {
      kind: "dispatch",
      library: exchangeLibrary(config.engine.expertExchange) ?? "deepep",
      mode: "normal",
      tokens: 0,
      hidden: 0,
      topK: 0,
      experts: 0,
      ranks: this.ranks,
      ranksPerNode: config.node.devicesPerNode,
      bytesPerValue: activationBytes,
      nearScale: 1,
      farScale: 1,
    };
    this.near = { ...this.library, mode: "lowLatency", ranks: Math.min(this.ranks, reachOf(config.node)) };
  }

  /**
   * Time of one direction for a layer call, ns; with `halves` that of one of two half batches. The
   * transfers of both are booked.
   */
  ns(
    moe: MoeFeedForward,
    call: LayerCall,
    batches: readonly RankBatch[],
    direction: Direction,
    halves: boolean,
  ): number {
    if (call.tokens === 0) return 0;
    return this.partNs(moe, call, batches, direction, halves ? 2 : 1);
  }

  /**
   * Share of the multiprocessors that exchanges beside computing take. In low-latency mode with receive hooks it is
   * none.
   */
  takenShare(prefills: boolean): number {
    const { expertExchange } = this.config.engine;
    if (exchangeLibrary(expertExchange) === null || lowLatency(expertExchange, prefills)) return 0;
    return normalModeShare;
  }

  /**
   * What of the exchange of a half batch in `exchangeNs` no computing runs beside, ns: in low-latency mode the kernels
   * at both ends. What stays inside a node they copy themselves, over NVLink; what leaves it travels behind them. They
   * bring a token's values into one message per expert and the messages into place, or back.
   */
  endsNs(
    moe: MoeFeedForward,
    call: LayerCall,
    batches: readonly RankBatch[],
    direction: Direction,
    exchangeNs: number,
  ): number {
    const { expertExchange } = this.config.engine;
    let tokens = 0;
    let prefills = false;
    for (const batch of batches) {
      tokens = Math.max(tokens, batch.tokens);
      prefills ||= batch.prefillTokens > 0;
    }
    if (exchangeLibrary(expertExchange) === null || !lowLatency(expertExchange, prefills)) return 0;
    const { near, ends, ranks } = this;
    const sent = tokens / (2 * this.sharers);
    const messageBytes = direction === "dispatch" ? this.dispatchValueBytes : activationBytes;
    ends.bytes = sent * moe.expertHidden * (activationBytes + 3 * call.expertsPerToken * messageBytes);
    near.kind = direction;
    near.tokens = (sent * near.ranks) / ranks;
    near.hidden = moe.expertHidden;
    near.topK = messagesPerToken(call, near.tokens);
    near.experts = (moe.experts * near.ranks) / ranks;
    near.bytesPerValue = messageBytes;
    return Math.min(exchangeNs, this.cost.opNs(near) + this.cost.opNs(ends));
  }

  /**
   * Share of the device that low-latency combining takes beside the last product of the experts; null where it waits
   * for them.
   */
  combineShare(prefills: boolean): number | null {
    const { engine, node } = this.config;
    if (engine.overlapsCombine !== true || !lowLatency(engine.expertExchange, prefills)) return null;
    return node.device.peak.fp4 === undefined ? combineShare.hopper : combineShare.blackwell;
  }

  /** Time of one direction for one of `parts` equal parts of a layer, ns. The transfers of all are booked. */
  private partNs(
    moe: MoeFeedForward,
    call: LayerCall,
    batches: readonly RankBatch[],
    direction: Direction,
    parts: number,
  ): number {
    const { links, ranks } = this;
    const part = 1 / parts;
    const { tokens } = call;
    const { engine } = this.config;
    const valueBytes = direction === "dispatch" ? this.dispatchValueBytes : activationBytes;
    const rowBytes = part * moe.expertHidden * valueBytes;
    let ns: number;
    switch (engine.expertExchange) {
      case "deepep":
      case "deepepNormal":
      case "deepepLowLatency":
      case "nvlink":
        ns = this.libraryNs(moe, call, batches, direction, valueBytes, parts);
        break;
      case "allGatherReduceScatter":
        ns = this.gatherNs(batches, direction, rowBytes, parts);
        break;
      case "broadcastAllReduce":
        ns = this.broadcastNs(call, batches, direction, part * moe.expertHidden * activationBytes, parts);
        break;
      case "allToAll":
        ns = links.collectiveNs("allToAll", this.busiestTokens(call, batches) * rowBytes, ranks, parts);
    }
    // The tensor-parallel ranks of a data-parallel rank each sent a share of its tokens. Now they gather the results.
    if (direction === "dispatch" || this.sharers === 1 || engine.expertExchange === "broadcastAllReduce") return ns;
    return ns + this.resultsNs(tokens, batches, part * moe.expertHidden * activationBytes, parts);
  }

  /**
   * Results gathered over the devices that sent a share of the tokens each, ns. Of a context-parallel group every rank needs its
   * part of the prompts, and all decodes.
   */
  private resultsNs(tokens: number, batches: readonly RankBatch[], rowBytes: number, parts: number): number {
    const { links, sharers } = this;
    const { tp, cp } = this.config.mapping;
    if (cp === 1) return links.collectiveNs("allGather", rowBytes * (tokens / batches.length), tp, parts);
    let prompts = 0;
    for (const batch of batches) prompts += batch.prefillTokens;
    const ofPrompts = (rowBytes * prompts) / (batches.length * cp);
    const ofDecodes = (rowBytes * (tokens - prompts)) / batches.length;
    return (
      links.collectiveNs("allGather", ofPrompts, tp, parts) + links.collectiveNs("allGather", ofDecodes, sharers, parts)
    );
  }

  /** Tokens of each group to all of its devices, or their results summed back, ns: the slowest group, for which all wait. */
  private gatherNs(batches: readonly RankBatch[], direction: Direction, rowBytes: number, parts: number): number {
    const { links, ranks, groups, sources } = this;
    const kind = direction === "dispatch" ? "allGather" : "reduceScatter";
    let slowest = 0;
    for (let group = 0; group < groups; group++) {
      const bytes = this.gatheredTokens(batches, group * sources) * rowBytes;
      slowest = Math.max(slowest, links.collectiveNs(kind, bytes, ranks, parts / groups));
    }
    return slowest;
  }

  /**
   * Tokens of an even all-gather that takes as long as that of a group. The rank with the fewest tokens receives most from the
   * others; in an even all-gather each of n sources receives (n - 1) / n of all.
   */
  private gatheredTokens(batches: readonly RankBatch[], firstSource: number): number {
    const { sources } = this;
    let tokens = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let source = firstSource; source < firstSource + sources; source++) {
      const own = this.sourceTokens(batches, source);
      tokens += own;
      fewest = Math.min(fewest, own);
    }
    return ((tokens - fewest) * sources) / (sources - 1);
  }

  /** Tokens of a source. */
  private sourceTokens(batches: readonly RankBatch[], source: number): number {
    const { cp } = this.config.mapping;
    return batches[Math.floor(source / cp)]!.tokens / cp;
  }

  /**
   * Tokens of each data-parallel rank broadcast to all, in turn: as long as an even gather of which every rank receives
   * these tokens. Then one sum over all ranks. Tokens travel in 16 bits.
   */
  private broadcastNs(
    { groupTokens }: LayerCall,
    batches: readonly RankBatch[],
    direction: Direction,
    rowBytes: number,
    parts: number,
  ): number {
    const { links, ranks, groups, sources } = this;
    const share = parts / groups;
    let slowest = 0;
    for (let group = 0; group < groups; group++) {
      let ns = 0;
      if (direction === "combine") ns = links.collectiveNs("allReduce", groupTokens[group]! * rowBytes, ranks, share);
      else
        for (let source = group * sources; source < (group + 1) * sources; source++) {
          const own = this.sourceTokens(batches, source);
          if (own > 0) ns += links.collectiveNs("allGather", (own * rowBytes * ranks) / (ranks - 1), ranks, share);
        }
      slowest = Math.max(slowest, ns);
    }
    return slowest;
  }

  /** Tokens to or from others of the rank that sends or receives most. */
  private busiestTokens({ spread, pairs, expertsPerToken }: LayerCall, batches: readonly RankBatch[]): number {
    const { etp } = this.config.mapping;
    // Every device of an expert rank needs the token. One of all devices holds it already.
    const remote = 1 - 1 / this.ranks;
    let busiest = 0;
    for (const batch of batches) busiest = Math.max(busiest, (batch.tokens / this.sharers) * spread * etp * remote);
    if (expertsPerToken === 0) return 0;
    for (let e = 0; e < pairs.length; e++) busiest = Math.max(busiest, (pairs[e]! / expertsPerToken) * spread * remote);
    return busiest;
  }

  /**
   * Time by an expert-exchange library, ns. It takes as many tokens of a device at once as it has buffers for, else
   * several rounds.
   */
  private libraryNs(
    moe: MoeFeedForward,
    call: LayerCall,
    batches: readonly RankBatch[],
    direction: Direction,
    valueBytes: number,
    parts: number,
  ): number {
    const { library } = this;
    const { engine } = this.config;
    let tokens = 0;
    let prefills = false;
    for (const batch of batches) {
      tokens = Math.max(tokens, batch.tokens);
      prefills ||= batch.prefillTokens > 0;
    }
    const low = lowLatency(engine.expertExchange, prefills);
    const sent = Math.ceil(tokens / parts / this.sharers);
    const rounds = low ? Math.ceil(sent / (engine.dispatchTokensMax ?? sent)) : 1;
    library.kind = direction;
    library.mode = low ? "lowLatency" : "normal";
    library.tokens = Math.ceil(sent / rounds);
    library.hidden = moe.expertHidden;
    library.topK = messagesPerToken(call, library.tokens);
    library.experts = moe.experts;
    library.bytesPerValue = valueBytes;
    const once = !low && library.library === "deepep";
    library.nearScale = once ? call.nearScale : 1;
    library.farScale = once ? call.farScale : 1;
    let ns = 0;
    for (let round = 0; round < rounds; round++) ns += this.links.exchangeNs(library, parts);
    return ns;
  }
}

/**
 * Experts that each of `tokens` is sent to in the mean: the libraries skip choices without one. One message is sent at
 * least.
 */
function messagesPerToken({ expertsPerToken }: LayerCall, tokens: number): number {
  return Math.max(expertsPerToken, 1 / Math.max(1, tokens));
}
