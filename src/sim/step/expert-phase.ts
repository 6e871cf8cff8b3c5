import { pow } from "../../core/pow.ts";
import { gathersTokens, lowLatency } from "../../engine/exchange/expert-exchange.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { GemmOp, GroupedGemmOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import { exchangesTokens, expertGroupRanks, sourcesPerGroup } from "../mapping.ts";
import { type CallUnderWay, type ExpertSource, LayerCall } from "../routing/layer-call.ts";
import type { RankBatch } from "./batch.ts";
import type { Crossings } from "./crossings.ts";
import { ExpertExchange } from "./expert-exchange.ts";
import { ExpertTime } from "./expert-time.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";
import { HalfBatches } from "./half-batches.ts";
import { HostExpertTime } from "./host-expert-time.ts";
import type { HostWorkTime } from "./host-work-time.ts";
import type { MixingTime } from "./mixing-time.ts";
import { exposedNs } from "./overlap.ts";
import type { RankClocks } from "./rank-clocks.ts";
import type { ServedKernels } from "./served-kernels.ts";
import { component, type StepAccounts } from "./step-accounts.ts";

type MoeProgram = FeedForwardProgram & { readonly kind: "moe" };

/**
 * The layer with experts that a step in flight is in: router, dispatch, experts, combine. Its exchanges are barriers:
 * dispatch starts when the last rank arrives, combine when the last expert rank is done. It may pause at its experts.
 */
export class ExpertPhase {
  readonly halves: HalfBatches;
  /** What the layer asks of its experts. */
  readonly call: LayerCall;
  /** When they begin, from the start of the stage, ns. */
  beginNs = 0;
  private readonly config: PoolConfig;
  private readonly accounts: StepAccounts;
  private readonly clocks: RankClocks;
  private readonly mixing: MixingTime;
  private readonly served: ServedKernels;
  private readonly host: HostWorkTime | null;
  private readonly exchange: ExpertExchange;
  private readonly expertTime: ExpertTime;
  private readonly ranks: number;
  /** Expert ranks of one group. */
  private readonly expertRanks: number;
  /** Whether tokens travel to their experts. */
  private readonly exchanges: boolean;
  private program: MoeProgram | null = null;
  /** What came before the experts of the layer, ns. */
  private arrivedNs = 0;
  private dispatchNs = 0;
  private routerNs = 0;
  private sharedNs = 0;
  /** Mean tokens of a device. */
  private deviceTokens = 0;
  /** Bytes of a token between the layers. */
  private readonly hiddenBytes: number;

  constructor(
    config: PoolConfig,
    cost: CostModel,
    accounts: StepAccounts,
    clocks: RankClocks,
    mixing: MixingTime,
    served: ServedKernels,
    host: HostWorkTime | null = null,
  ) {
    this.host = host;
    this.config = config;
    this.accounts = accounts;
    this.clocks = clocks;
    this.mixing = mixing;
    this.served = served;
    this.exchange = new ExpertExchange(config, cost, accounts.links);
    this.exchanges = exchangesTokens(config.mapping);
    const engine = this.exchanges ? config.engine : { ...config.engine, overlapsBatches: false };
    this.halves = new HalfBatches(engine, mixing, this.exchange, served);
    const hostComputes = config.offload?.miss?.policy.needs.includes("host") === true;
    this.expertTime = new ExpertTime(served, config.mapping.ep, hostComputes ? new HostExpertTime(config) : null);
    this.ranks = expertGroupRanks(config.mapping);
    this.expertRanks = config.mapping.ep;
    this.call = new LayerCall(config.mapping.ep, config.mapping.edp);
    this.hiddenBytes = config.model.hiddenSize * activationBytes;
  }

  /**
   * Begins the MoE layer `layer` in a stage that starts at `startNs`, for `tokens` tokens in all. `earliestNs` is when
   * the experts may be asked for at the earliest. `shares`: the batches as one device has them. Returns the call of the experts while it is under way; null once it
   * is served.
   */
  begin(
    program: MoeProgram,
    layer: number,
    startNs: number,
    earliestNs: number,
    tokens: number,
    batches: readonly RankBatch[],
    shares: readonly RankBatch[],
    experts: ExpertSource,
    /** The layer as the host runs it, where it is the host's. */
    onHost: MoeProgram | null = null,
  ): CallUnderWay | null {
    this.program = program;
    const { config, call } = this;
    const gemmNs = onHost === null ? this.deviceGemmNs : this.hostGemmNs;
    const { components, links } = this.accounts;
    const clock = this.clocks.ns;
    const dp = clock.length;
    const halves = this.halves.active;
    const parts = halves ? 2 : 1;
    const { prompts } = this.mixing;
    let routerNs = 0;
    let sharedNs = 0;
    let sharedSumNs = 0;
    let deviceTokens = 0;
    for (let g = 0; g < dp; g++) {
      const batchTokens = shares[g]!.tokens / parts;
      deviceTokens += shares[g]!.tokens;
      let ns = parts * gemmNs(program.router, batchTokens, onHost?.router);
      if (program.latent !== null) ns += parts * gemmNs(program.latent[0], batchTokens, onHost?.latent?.[0]);
      routerNs += ns / dp;
      clock[g]! += ns;
      if (program.shared.length > 0) {
        const sum = parts * this.sharedSumNs(batchTokens);
        sharedSumNs += sum / dp;
        let shared = sum;
        for (const [at, op] of program.shared.entries()) shared += parts * gemmNs(op, batchTokens, onHost?.shared[at]);
        sharedNs = Math.max(sharedNs, shared);
      }
    }
    components[component.experts]! += routerNs;
    const arrived = this.clocks.meet(prompts);
    call.layer = layer;
    call.tokens = tokens;
    const groupTokens = this.fillGroups(batches);
    experts.route(call);
    const dispatchNs = this.exchanges ? this.exchange.ns(program.moe, call, batches, "dispatch", halves) : 0;
    // Shared experts run beside the dispatch where the engine overlaps them, else after it.
    const beside = config.engine.overlapsSharedExperts && !halves;
    const sharedWaitNs = beside ? Math.max(0, sharedNs - dispatchNs) : sharedNs;
    components[component.sharedExperts]! += sharedWaitNs;
    if (sharedSumNs > 0)
      links.book(Math.min(sharedSumNs, sharedWaitNs), (deviceTokens / dp) * config.model.hiddenSize * activationBytes);
    this.beginNs = arrived + (halves ? 0 : dispatchNs) + sharedWaitNs;
    this.arrivedNs = arrived;
    this.dispatchNs = dispatchNs;
    this.deviceTokens = deviceTokens / dp;
    this.routerNs = routerNs;
    this.sharedNs = sharedNs;
    // Where tokens are gathered and not sent to their experts, the kernel of every rank is given all of them.
    const sent = this.exchanges && !gathersTokens(config.engine.expertExchange);
    const layout = this.sentLayout(prompts);
    // Of tokens that are sent, a rank is given those with an expert there.
    const given = layout === undefined ? (sent ? 0 : 1) : 1 - pow(1 - 1 / this.expertRanks, call.expertsPerToken);
    this.expertTime.begin(program, given * groupTokens * program.moe.topK, halves, layout, prompts, onHost !== null);
    call.startNs = Math.max(startNs + this.beginNs, earliestNs);
    return experts.serve(call, this.expertTime);
  }

  /** Ends the layer once its experts are served. `crossings` takes the exchanges down. */
  end(batches: readonly RankBatch[], crossings: Crossings | null): void {
    const { call, beginNs, dispatchNs } = this;
    const { tokens } = call;
    const program = this.program!;
    const { components, links } = this.accounts;
    const halves = this.halves.active;
    let done = beginNs + this.slowestNs();
    const expertsNs = done - beginNs;
    const combineNs = this.exchanges
      ? this.exchange.ns(program.moe, call, batches, "combine", halves)
      : this.sumNs(program.moe.expertHidden * activationBytes);
    let dispatchShown = dispatchNs;
    let combineShown = combineNs;
    if (halves) {
      const { shown } = this.halves;
      this.halves.endLayer(program.moe, call, batches, this.routerNs, this.sharedNs, expertsNs, dispatchNs, combineNs);
      dispatchShown = shown.dispatchNs;
      combineShown = shown.combineNs;
      done += dispatchShown;
    } else {
      const share = this.exchanges ? this.exchange.combineShare(this.mixing.prompts) : null;
      if (share !== null) combineShown = exposedNs(combineNs, expertsNs / program.moe.matrices, share * combineNs);
    }
    if (crossings !== null && !halves) {
      if (dispatchShown > 0)
        crossings.add(this.arrivedNs, links.takenNs(dispatchShown, this.ranks), this.hiddenBytes * tokens);
      crossings.add(done, links.takenNs(combineShown, this.ranks), this.hiddenBytes * tokens);
    }
    components[component.dispatch]! += dispatchShown;
    components[component.combine]! += combineShown;
    done += combineShown;
    if (program.latent !== null) {
      const parts = halves ? 2 : 1;
      const ns = parts * this.served.gemmNs(program.latent[1], Math.ceil(this.deviceTokens / parts));
      components[component.experts]! += ns;
      done += ns;
    }
    this.clocks.ns.fill(done);
  }

  /**
   * Fills the tokens of every expert group into the call; returns those of the busiest. Context-parallel parts of a data-parallel
   * rank have equal shares of its tokens.
   */
  private fillGroups(batches: readonly RankBatch[]): number {
    const { groupTokens, tokens } = this.call;
    if (groupTokens.length === 1) {
      groupTokens[0] = tokens;
      return tokens;
    }
    const { cp, dp } = this.config.mapping;
    const sources = sourcesPerGroup(this.config.mapping);
    let busiest = 0;
    groupTokens.fill(0);
    for (let source = 0; source < cp * dp; source++) {
      const group = Math.floor(source / sources);
      groupTokens[group]! += batches[Math.floor(source / cp)]!.tokens / cp;
      busiest = Math.max(busiest, groupTokens[group]!);
    }
    return busiest;
  }

  /** The results of every group are summed over its devices, all of which had all of its tokens, ns: the slowest group. */
  private sumNs(tokenBytes: number): number {
    const { groupTokens } = this.call;
    let slowest = 0;
    for (const tokens of groupTokens)
      slowest = Math.max(
        slowest,
        this.accounts.links.collectiveNs("allReduce", tokens * tokenBytes, this.ranks, 1 / groupTokens.length),
      );
    return slowest;
  }

  /** A product of the layer, by the device or by the host. */
  private readonly deviceGemmNs = (op: GemmOp, tokens: number): number => this.served.gemmNs(op, tokens);
  private readonly hostGemmNs = (op: GemmOp, tokens: number, onHost: GemmOp | undefined): number =>
    this.host!.gemmNs(onHost!, op, tokens);

  /** Layout of the tokens of experts where an exchange library sends them to kernels made for it. */
  private sentLayout(prefills: boolean): GroupedGemmOp["sent"] {
    const { sentExperts, expertExchange } = this.config.engine;
    if (sentExperts !== true) return undefined;
    return lowLatency(expertExchange, prefills) ? "masked" : "contiguous";
  }

  /**
   * Time to sum the shared experts' partial results over tensor-parallel ranks, ns. Without attention data parallelism
   * the all-reduce of the combine does it. The caller books the time: it knows what runs beside.
   */
  private sharedSumNs(tokens: number): number {
    const { mapping, model } = this.config;
    if (!this.exchanges || mapping.tp === 1) return 0;
    return this.accounts.links.collectiveNs("allReduce", tokens * model.hiddenSize * activationBytes, mapping.tp, 0);
  }

  /** Books the routed experts of the call. Returns the time of the slowest rank, ns. */
  private slowestNs(): number {
    const { ns: times, stallNs } = this.call;
    const { components, rankBusyNs } = this.accounts;
    let max = 0;
    let sum = 0;
    let stallSum = 0;
    let slowestStall = 0;
    const ranks = times.length;
    for (let e = 0; e < ranks; e++) {
      const ns = times[e]!;
      const stall = stallNs[e]!;
      rankBusyNs[e]! += ns - stall;
      stallSum += stall;
      sum += ns;
      if (ns > max) {
        max = ns;
        slowestStall = stall;
      }
    }
    const mean = sum / ranks;
    const meanStall = stallSum / ranks;
    // The slowest expert rank may wait longer for its experts than the mean. That is fetching too; the rest is load.
    const fetch = Math.min(max - mean, Math.max(0, slowestStall - meanStall));
    components[component.experts]! += mean - meanStall;
    components[component.expertFetch]! += meanStall + fetch;
    components[component.expertWait]! += max - mean - fetch;
    return max;
  }
}
