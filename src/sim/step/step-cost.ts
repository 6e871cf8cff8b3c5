import { pow } from "../../core/pow.ts";
import { gathersTokens, lowLatency } from "../../engine/exchange/expert-exchange.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { CostModel } from "../../hardware/cost.ts";
import { mathFor } from "../../hardware/math-format.ts";
import type { CopyOp, GemmOp, GroupedGemmOp } from "../../hardware/op.ts";
import type { PoolConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import { handoffLeavesReach } from "../mapping-over-nodes.ts";
import { type TimeComponent, timeComponents } from "../result.ts";
import { type ExpertSource, LayerCall } from "../routing/layer-call.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import { attentionProgram } from "./attention-program.ts";
import { attentionWindows } from "./attention-windows.ts";
import type { RankBatch } from "./batch.ts";
import { ExpertExchange } from "./expert-exchange.ts";
import { ExpertTime } from "./expert-time.ts";
import { activationsFor, type FeedForwardProgram, feedForwardProgram } from "./feed-forward-program.ts";
import { HalfBatches } from "./half-batches.ts";
import { feedForwardUnits, isSummed, kernelsOf, mixingUnits } from "./layer-kernels.ts";
import { LinkTime } from "./link-time.ts";
import { MixingTime } from "./mixing-time.ts";
import { exposedNs } from "./overlap.ts";
import { ServedKernels } from "./served-kernels.ts";
import { layerClasses, type StagePlan } from "./stage-plan.ts";

const component = Object.fromEntries(timeComponents.map((name, index) => [name, index])) as Record<
  TimeComponent,
  number
>;

/**
 * The timeline of one step through one pipeline stage. Every data-parallel rank has a clock; tensor-parallel ranks
 * inside it move together. Exchanges of the MoE layers are barriers: dispatch starts when the last rank arrives,
 * combine when the last expert rank is done. Each wait is booked by its cause: prompts or attention of another rank,
 * load or fetches of another expert rank. Components on the critical path add up to the duration of the step.
 */
export class StepCost {
  readonly windows: Float64Array;
  readonly attention: readonly AttentionProgram[];
  /** Time per component over the run, ns. */
  readonly components = new Float64Array(timeComponents.length);
  /** Transfers between devices over the run. */
  readonly links: LinkTime;
  /** [expert ranks] compute busy time over the run, ns. */
  readonly rankBusyNs: Float64Array;
  private readonly cost: CostModel;
  private readonly config: PoolConfig;
  private readonly feedForward: readonly FeedForwardProgram[];
  private readonly ranks: number;
  private readonly expertRanks: number;
  /** [attention classes], [feed-forward classes] kernels that a layer launches. */
  private readonly mixingKernels: Float64Array;
  private readonly feedForwardKernels: Float64Array;
  /** [attention classes] whether the norm of queries and keys sums over the tensor-parallel ranks. */
  private readonly sumsNorms: readonly boolean[];
  /** [attention classes] whether the class mixes tokens at all: blocks of hybrid models may have a feed-forward network alone. */
  private readonly mixes: readonly boolean[];
  private readonly clock: Float64Array;
  private readonly mixing: MixingTime;
  /** Sum of the waits without prompts of the layers since the ranks last met. */
  private attentionWaitNs = 0;
  private readonly exchange: ExpertExchange;
  private readonly expertTime: ExpertTime;
  /** Bytes of a token's hidden state. */
  private readonly hiddenBytes: number;
  private readonly handoff: CopyOp;
  private readonly head: GemmOp;
  /** Kernels as they run in the latest step. */
  readonly served: ServedKernels;
  private readonly halves: HalfBatches;
  /** The layer call being timed. */
  private readonly call: LayerCall;
  private readonly before: {
    readonly components: Float64Array;
    readonly clock: Float64Array;
    readonly rankBusyNs: Float64Array;
    linkBusyNs: number;
    linkBytes: number;
    attentionWaitNs: number;
  };

  constructor(config: PoolConfig, cost: CostModel) {
    this.config = config;
    this.cost = cost;
    const { model, mapping, formats, node, engine } = config;
    const classes = layerClasses(model);
    this.windows = attentionWindows(classes.attention);
    this.served = new ServedKernels(cost);
    const attentionMath = mathFor(node.device, formats.attention, activationsFor(formats.attention, node.device));
    this.attention = classes.attention.map((spec) =>
      attentionProgram(spec, {
        hidden: model.hiddenSize,
        tp: mapping.tp,
        weightFormat: formats.attention,
        kvFormat: config.kvFormat,
        math: attentionMath,
        cost: this.served,
        mixedDecodeRows: config.engine.mixedDecodeRows ?? null,
        sparseDenseTokens: config.engine.sparseDenseTokens,
        windows: this.windows,
      }),
    );
    this.mixingKernels = Float64Array.from(classes.attention, (spec) =>
      kernelsOf(mixingUnits(spec, formats, mapping.tp), engine),
    );
    this.feedForwardKernels = Float64Array.from(classes.feedForward, (spec) =>
      kernelsOf(feedForwardUnits(spec, formats), engine),
    );
    this.mixes = classes.attention.map(({ kind }) => kind !== "none");
    this.sumsNorms = classes.attention.map((spec) => isSummed(spec, mapping.tp));
    this.feedForward = classes.feedForward.map((spec) => feedForwardProgram(spec, config));
    this.ranks = stageRanks(mapping);
    this.expertRanks = mapping.ep;
    this.clock = new Float64Array(mapping.dp);
    this.mixing = new MixingTime(this.attention, this.served, mapping.dp, this.windows.length);
    this.rankBusyNs = new Float64Array(mapping.ep);
    this.call = new LayerCall(mapping.ep);
    this.links = new LinkTime(cost, config.engine.collectiveFactor);
    this.exchange = new ExpertExchange(config, cost, this.links);
    this.halves = new HalfBatches(engine, this.mixing, this.exchange, this.served);
    this.expertTime = new ExpertTime(this.served, mapping.ep);
    this.hiddenBytes = model.hiddenSize * activationBytes;
    this.handoff = { kind: "copy", link: "scaleUp", bytes: 0 };
    this.head = {
      kind: "gemm",
      tokens: 0,
      inputWidth: model.hiddenSize,
      outputWidth: Math.ceil(model.vocabSize / mapping.tp),
      weightFormat: formats.head,
      math: mathFor(node.device, formats.head, activationsFor(formats.head, node.device)),
    };
    this.before = {
      components: new Float64Array(timeComponents.length),
      clock: new Float64Array(mapping.dp),
      rankBusyNs: new Float64Array(mapping.ep),
      linkBusyNs: 0,
      linkBytes: 0,
      attentionWaitNs: 0,
    };
  }

  /**
   * Duration of the stage for a step that starts at `startNs`, ns (float). `batches` holds one batch per data-parallel
   * rank. `experts` gives the routed work; with offloaded experts it also books their transfers.
   */
  stageNs(
    plan: StagePlan,
    startNs: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
    last: boolean,
  ): number {
    const { clock, config } = this;
    let tokens = 0;
    for (const batch of batches) tokens += batch.tokens;
    this.serve(batches);
    clock.fill(0);
    this.mixing.prepare(batches);
    this.halves.begin(batches);
    if (experts.layersAlike)
      for (const alike of plan.alike) {
        // From equal clocks a layer adds the same each time.
        this.meet();
        if (alike.count > 1) this.beginRepeat();
        this.layer(plan, alike.layer, startNs, tokens, batches, experts);
        if (alike.count > 1) this.endRepeat(alike.count - 1);
      }
    else for (let i = 0; i < plan.layers; i++) this.layer(plan, i, startNs, tokens, batches, experts);
    this.meet();
    const { endsNs } = this.halves.shown;
    this.components[component.combine]! += endsNs;
    for (let g = 0; g < clock.length; g++) clock[g]! += endsNs;
    if (last) this.headLayer(batches);
    if (!config.engine.capturesGraphs) this.waitForLaunches(plan);
    return clock[0]!;
  }

  /** How kernels run in a step of such batches: the mean of decodes and prompts by tokens. */
  private serve(batches: readonly RankBatch[]): void {
    const { kernelExcess, prefillExcess } = this.config.engine;
    let tokens = 0;
    let prefillTokens = 0;
    for (const batch of batches) {
      tokens += batch.tokens;
      prefillTokens += batch.prefillTokens;
    }
    const prefillShare = tokens > 0 ? prefillTokens / tokens : 0;
    this.served.excessFactor = 1 - prefillShare + prefillExcess * prefillShare;
    this.served.hiddenShare = (1 - kernelExcess) * (1 - prefillShare);
  }

  /** One layer: overhead, token mixing and feed-forward, added to the clocks. */
  private layer(
    plan: StagePlan,
    i: number,
    startNs: number,
    tokens: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
  ): void {
    const { clock, config } = this;
    const dp = clock.length;
    const mixing = plan.attentionClass[i]!;
    const program = this.feedForward[plan.feedForwardClass[i]!]!;
    // Layers without experts exchange nothing: they run whole batches.
    const halves = this.halves.active && program.kind === "moe";
    const overhead = this.layerKernels(plan, i) * config.engine.kernelOverheadNs;
    for (let g = 0; g < dp; g++) clock[g]! += overhead + this.mixing.ns(mixing, g, halves);
    this.attentionWaitNs += this.mixing.promptlessWaitNs[mixing]!;
    this.components[component.kernelOverhead]! += overhead;
    const mixNs = this.mixing.meanNs(mixing, halves);
    this.components[component.attention]! += mixNs;
    let reduceNs = 0;
    if (this.sumsNorms[mixing]!) reduceNs += this.allReduceWithinDpRanks(batches, normSumBytes, halves);
    if (config.mapping.tp > 1 && this.mixes[mixing]!)
      reduceNs += this.allReduceWithinDpRanks(batches, this.hiddenBytes, halves);
    if (program.kind === "dense") this.denseLayer(program, batches);
    else if (program.kind === "moe") {
      if (halves) {
        const { kernelOverheadNs } = config.engine;
        const feedForwardKernels = this.feedForwardKernels[plan.feedForwardClass[i]!]!;
        const mixingLaunchNs = this.mixingKernels[mixing]! * kernelOverheadNs;
        this.halves.beginLayer(mixing, mixingLaunchNs, feedForwardKernels * kernelOverheadNs, reduceNs);
      }
      this.moeLayer(program, plan.moeIndex[i]!, startNs, tokens, batches, experts);
      this.served.productShare = 1;
    }
  }

  /** Kernels that a layer launches in the step being timed: each half batch needs its own. */
  private layerKernels(plan: StagePlan, i: number): number {
    const feedForward = plan.feedForwardClass[i]!;
    const parts = this.halves.active && this.feedForward[feedForward]!.kind === "moe" ? 2 : 1;
    return parts * (this.mixingKernels[plan.attentionClass[i]!]! + this.feedForwardKernels[feedForward]!);
  }

  /** Without captured graphs the host launches every kernel. The device waits where it is faster than the launches. */
  private waitForLaunches(plan: StagePlan): void {
    let kernels = 0;
    for (let i = 0; i < plan.layers; i++) kernels += this.layerKernels(plan, i);
    const waits = Math.max(0, kernels * this.config.engine.eagerLaunchNs - this.clock[0]!);
    this.components[component.kernelOverhead]! += waits;
    for (let g = 0; g < this.clock.length; g++) this.clock[g]! += waits;
  }

  /** Remembers all sums: {@link endRepeat} adds what the next layer adds once more for every other layer like it. */
  private beginRepeat(): void {
    this.before.components.set(this.components);
    this.before.clock.set(this.clock);
    this.before.rankBusyNs.set(this.rankBusyNs);
    this.before.linkBusyNs = this.links.busyNs;
    this.before.linkBytes = this.links.bytes;
    this.before.attentionWaitNs = this.attentionWaitNs;
  }

  private endRepeat(times: number): void {
    const { before } = this;
    addChange(this.components, before.components, times);
    addChange(this.clock, before.clock, times);
    addChange(this.rankBusyNs, before.rankBusyNs, times);
    this.links.busyNs += times * (this.links.busyNs - before.linkBusyNs);
    this.links.bytes += times * (this.links.bytes - before.linkBytes);
    this.attentionWaitNs += times * (this.attentionWaitNs - before.attentionWaitNs);
  }

  /** Time to hand activations from stage `stage` to the next, ns. */
  handoffNs(batches: readonly RankBatch[], stage: number): number {
    let tokens = 0;
    for (const batch of batches) tokens = Math.max(tokens, batch.tokens);
    this.handoff.bytes = (tokens * this.config.model.hiddenSize * activationBytes) / this.config.mapping.tp;
    this.handoff.link = handoffLeavesReach(this.config.mapping, this.config.node, stage) ? "scaleOut" : "scaleUp";
    const ns = this.cost.opNs(this.handoff);
    this.components[component.pipeline]! += ns;
    return ns;
  }

  /** Time of a step that the device waits for the host, ns. */
  hostNs(sequences: number, prefills: boolean): number {
    const { engine } = this.config;
    const host =
      engine.stepOverheadNs + engine.sequenceOverheadNs * sequences + (prefills ? engine.prefillStepOverheadNs : 0);
    this.components[component.hostOverhead]! += host;
    return host;
  }

  /**
   * All ranks wait for the slowest; afterwards every clock shows the same. In steps with prompts, attention is charged
   * the wait that there would be without them, and the prompts the rest.
   */
  private meet(): number {
    const { clock } = this;
    let max = 0;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      sum += clock[g]!;
      if (clock[g]! > max) max = clock[g]!;
    }
    const wait = max - sum / clock.length;
    const attention = this.mixing.prompts ? Math.min(wait, this.attentionWaitNs) : wait;
    this.attentionWaitNs = 0;
    this.components[component.attentionWait]! += attention;
    this.components[component.promptWait]! += wait - attention;
    clock.fill(max);
    return max;
  }

  /**
   * Sums `tokenBytes` of each token over the tensor-parallel ranks of each data-parallel rank, for one half batch after the
   * other with `halves`. Returns the mean time, ns.
   */
  private allReduceWithinDpRanks(batches: readonly RankBatch[], tokenBytes: number, halves: boolean): number {
    const { clock, config } = this;
    const parts = halves ? 2 : 1;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      const bytes = (batches[g]!.tokens / parts) * tokenBytes;
      const ns = parts * this.links.collectiveNs("allReduce", bytes, config.mapping.tp, parts / clock.length);
      clock[g]! += ns;
      sum += ns;
    }
    this.components[component.allReduce]! += sum / clock.length;
    return sum / clock.length;
  }

  private denseLayer(program: FeedForwardProgram & { kind: "dense" }, batches: readonly RankBatch[]): void {
    const { clock } = this;
    let sum = 0;
    for (let g = 0; g < clock.length; g++) {
      const ns = this.gemmNs(program.up, batches[g]!.tokens) + this.gemmNs(program.down, batches[g]!.tokens);
      clock[g]! += ns;
      sum += ns;
    }
    this.components[component.dense]! += sum / clock.length;
    if (this.config.mapping.tp > 1) this.allReduceWithinDpRanks(batches, this.hiddenBytes, false);
  }

  private gemmNs(op: GemmOp, tokens: number): number {
    if (tokens === 0) return 0;
    op.tokens = tokens;
    return this.served.opNs(op);
  }

  private moeLayer(
    program: FeedForwardProgram & { kind: "moe" },
    layer: number,
    startNs: number,
    tokens: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
  ): void {
    const { clock, config } = this;
    const dp = clock.length;
    const halves = this.halves.active;
    const parts = halves ? 2 : 1;
    const { prompts } = this.mixing;
    let routerNs = 0;
    let sharedNs = 0;
    let sharedSumNs = 0;
    for (let g = 0; g < dp; g++) {
      const batchTokens = batches[g]!.tokens / parts;
      let ns = parts * this.gemmNs(program.router, batchTokens);
      if (program.latent !== null) ns += parts * this.gemmNs(program.latent[0], batchTokens);
      routerNs += ns / dp;
      clock[g]! += ns;
      if (program.shared.length > 0) {
        const sum = parts * this.sharedSumNs(batchTokens);
        sharedSumNs += sum / dp;
        let shared = sum;
        for (const op of program.shared) shared += parts * this.gemmNs(op, batchTokens);
        sharedNs = Math.max(sharedNs, shared);
      }
    }
    this.components[component.experts]! += routerNs;
    const arrived = this.meet();
    const { call } = this;
    call.layer = layer;
    call.tokens = tokens;
    experts.route(call);
    const dispatchNs = dp > 1 ? this.exchange.ns(program.moe, call, batches, "dispatch", halves) : 0;
    // Shared experts run beside the dispatch where the engine overlaps them, else after it.
    const beside = config.engine.overlapsSharedExperts && !halves;
    const sharedWaitNs = beside ? Math.max(0, sharedNs - dispatchNs) : sharedNs;
    this.components[component.sharedExperts]! += sharedWaitNs;
    if (sharedSumNs > 0)
      this.links.book(Math.min(sharedSumNs, sharedWaitNs), (tokens / dp) * config.model.hiddenSize * activationBytes);
    const begin = arrived + (halves ? 0 : dispatchNs) + sharedWaitNs;
    // Where tokens are gathered and not sent to their experts, the kernel of every rank is given all of them.
    const sent = dp > 1 && !gathersTokens(config.engine.expertExchange);
    const layout = this.sentLayout(prompts);
    // Of tokens that are sent, a rank is given those with an expert there.
    const given = layout === undefined ? (sent ? 0 : 1) : 1 - pow(1 - 1 / this.expertRanks, call.expertsPerToken);
    this.expertTime.begin(program, given * tokens * program.moe.topK, halves, layout);
    call.startNs = startNs + begin;
    experts.serve(call, this.expertTime);
    let done = begin + this.expertPhase();
    const expertsNs = done - begin;
    const combineNs =
      dp > 1
        ? this.exchange.ns(program.moe, call, batches, "combine", halves)
        : this.links.collectiveNs("allReduce", tokens * program.moe.expertHidden * activationBytes, this.ranks);
    let dispatchShown = dispatchNs;
    let combineShown = combineNs;
    if (halves) {
      const { shown } = this.halves;
      this.halves.endLayer(program.moe, call, batches, routerNs, sharedNs, expertsNs, dispatchNs, combineNs);
      dispatchShown = shown.dispatchNs;
      combineShown = shown.combineNs;
      done += dispatchShown;
    } else {
      const share = dp > 1 ? this.exchange.combineShare(prompts) : null;
      if (share !== null) combineShown = exposedNs(combineNs, expertsNs / program.moe.matrices, share * combineNs);
    }
    this.components[component.dispatch]! += dispatchShown;
    this.components[component.combine]! += combineShown;
    done += combineShown;
    if (program.latent !== null) {
      const ns = parts * this.gemmNs(program.latent[1], Math.ceil(tokens / parts / dp));
      this.components[component.experts]! += ns;
      done += ns;
    }
    clock.fill(done);
  }

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
    if (mapping.dp === 1 || mapping.tp === 1) return 0;
    return this.links.collectiveNs("allReduce", tokens * model.hiddenSize * activationBytes, mapping.tp, 0);
  }

  /** Books the routed experts of the call. Returns the time of the slowest rank, ns. */
  private expertPhase(): number {
    const { ns: times, stallNs } = this.call;
    let max = 0;
    let sum = 0;
    let stallSum = 0;
    let slowestStall = 0;
    for (let e = 0; e < this.expertRanks; e++) {
      const ns = times[e]!;
      const stall = stallNs[e]!;
      this.rankBusyNs[e]! += ns - stall;
      stallSum += stall;
      sum += ns;
      if (ns > max) {
        max = ns;
        slowestStall = stall;
      }
    }
    const mean = sum / this.expertRanks;
    const meanStall = stallSum / this.expertRanks;
    // The slowest expert rank may wait longer for its experts than the mean. That is fetching too; the rest is load.
    const fetch = Math.min(max - mean, Math.max(0, slowestStall - meanStall));
    this.components[component.experts]! += mean - meanStall;
    this.components[component.expertFetch]! += meanStall + fetch;
    this.components[component.expertWait]! += max - mean - fetch;
    return max;
  }

  /** LM head on the sequences that emit a token. */
  private headLayer(batches: readonly RankBatch[]): void {
    let max = 0;
    for (const batch of batches) max = Math.max(max, this.gemmNs(this.head, batch.sampled));
    this.components[component.head]! += max;
    for (let g = 0; g < this.clock.length; g++) this.clock[g]! += max;
  }
}

/** Sums of squares of a token's queries and of its keys, in fp32. */
const normSumBytes = 2 * 4;

/** values += times x (values - before). */
function addChange(values: Float64Array, before: Float64Array, times: number): void {
  for (let i = 0; i < values.length; i++) values[i]! += times * (values[i]! - before[i]!);
}
