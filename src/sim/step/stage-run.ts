import type { Resource } from "../../core/resource.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import type { CostModel } from "../../hardware/cost.ts";
import type { PoolConfig } from "../config.ts";
import { kvShards } from "../mapping.ts";
import type { CallUnderWay, ExpertSource } from "../routing/layer-call.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import type { RankBatch } from "./batch.ts";
import { ContextExchange } from "./context-exchange.ts";
import { ContextShares } from "./context-shares.ts";
import { Crossings } from "./crossings.ts";
import { ExpertPhase } from "./expert-phase.ts";
import type { HalfBatches } from "./half-batches.ts";
import { HostWorkTime } from "./host-work-time.ts";
import { attentionPrograms, type LayerPrograms } from "./layer-programs.ts";
import { MixingTime } from "./mixing-time.ts";
import { RankClocks } from "./rank-clocks.ts";
import { RankWork } from "./rank-work.ts";
import { RepeatedLayers } from "./repeated-layers.ts";
import { ServedKernels } from "./served-kernels.ts";
import type { StagePlan } from "./stage-plan.ts";
import type { StageWatch } from "./stage-watch.ts";
import { component, type StepAccounts } from "./step-accounts.ts";

/** Sums of squares of a token's queries and of its keys, in fp32. */
const normSumBytes = 2 * 4;

/**
 * A step on its way through one pipeline stage: a value that is advanced from one use of what others may share to the
 * next. Every data-parallel rank has a clock; the ranks meet at the experts of a layer and at its end. Each wait is booked
 * by its cause: prompts or attention of another rank, load or fetches of another expert rank. Components on the critical
 * path add up to the duration of the stage. Reused from step to step.
 */
export class StageRun {
  /** When the step next uses what others may share, ns; Infinity once the stage is timed. */
  nextNs = Number.POSITIVE_INFINITY;
  /** When it last did; the start of the stage before it has. */
  usedNs = 0;
  /** Duration of the stage once it is timed, ns. */
  ns = 0;
  /** Time of it in which exchanges take the links of its devices, and in which devices wait for experts, ns. */
  exchangeNs = 0;
  fetchNs = 0;
  /** Who follows the step; null: nobody. */
  watch: StageWatch | null = null;
  readonly attention: readonly AttentionProgram[];
  /** Kernels as they run in this step. */
  readonly served: ServedKernels;
  private readonly config: PoolConfig;
  private readonly programs: LayerPrograms;
  private readonly accounts: StepAccounts;
  private readonly clocks: RankClocks;
  private readonly mixing: MixingTime;
  private readonly alone: RankWork;
  private readonly phase: ExpertPhase;
  private readonly halves: HalfBatches;
  private readonly repeated: RepeatedLayers;
  /** What devices of a context-parallel group have of a batch, and what they send each other; null without such groups. */
  private readonly contextShares: ContextShares;
  private readonly context: ContextExchange | null;
  /** Layers and caches of the host; null: all are the devices'. */
  private readonly host: HostWorkTime | null;
  /** Bytes of a token's hidden state. */
  private readonly hiddenBytes: number;
  /** The stage, its step, and the layer that it is in. */
  private plan: StagePlan | null = null;
  private batches: readonly RankBatch[] = [];
  /** The same as one device has them. */
  private shares: readonly RankBatch[] = [];
  private experts: ExpertSource | null = null;
  private startNs = 0;
  private tokens = 0;
  private last = false;
  private at = 0;
  private call: CallUnderWay | null = null;
  /**
   * Root complexes that the stage shares with others; null: none. The transfers over them, which is next, and how much
   * later it is.
   */
  private roots: readonly Resource[] | null = null;
  private readonly crossings = new Crossings();
  private crossing = -1;
  private lateNs = 0;

  constructor(
    config: PoolConfig,
    cost: CostModel,
    programs: LayerPrograms,
    windows: Float64Array,
    accounts: StepAccounts,
  ) {
    const { mapping } = config;
    this.config = config;
    this.programs = programs;
    this.accounts = accounts;
    this.served = new ServedKernels(cost);
    this.attention = attentionPrograms(config, this.served, windows);
    this.clocks = new RankClocks(mapping.dp, accounts.components);
    this.mixing = new MixingTime(this.attention, mapping.dp, windows.length);
    this.host =
      config.host === undefined ? null : new HostWorkTime(config, config.host, this.served, this.attention, windows);
    this.phase = new ExpertPhase(config, cost, accounts, this.clocks, this.mixing, this.served, this.host);
    this.halves = this.phase.halves;
    this.alone = new RankWork(config, accounts, this.clocks, this.served, this.host);
    this.repeated = new RepeatedLayers(accounts, this.clocks);
    this.contextShares = new ContextShares(mapping, kvShards(config), windows.length);
    this.context = mapping.cp === 1 ? null : new ContextExchange(config, this.attention, windows, accounts.links);
    this.hiddenBytes = config.model.hiddenSize * activationBytes;
  }

  /**
   * Starts the stage at `startNs` and goes on up to the first use of what others may share. `batches` holds one batch
   * per data-parallel rank, `experts` the routed work; both stay as they are until the stage is timed. `roots`: shared
   * links that transfers between the devices pass.
   */
  begin(
    plan: StagePlan,
    startNs: number,
    batches: readonly RankBatch[],
    experts: ExpertSource,
    last: boolean,
    roots: readonly Resource[] | null = null,
  ): void {
    let tokens = 0;
    for (const batch of batches) tokens += batch.tokens;
    this.plan = plan;
    this.startNs = startNs;
    this.usedNs = startNs;
    this.batches = batches;
    this.experts = experts;
    this.last = last;
    this.tokens = tokens;
    this.at = 0;
    this.roots = roots;
    this.crossing = -1;
    this.lateNs = 0;
    this.crossings.clear();
    this.shares = this.contextShares.of(batches);
    this.served.serve(this.shares, this.config.engine);
    this.clocks.reset();
    this.mixing.prepare(this.shares);
    this.host?.prepare(batches[0]!);
    this.halves.begin(this.shares);
    experts.enter?.(plan.moeIndex, startNs);
    const { links, components } = this.accounts;
    const linksNs = links.busyNs;
    const fetchNs = components[component.expertFetch]!;
    this.watch?.resumes();
    this.layers(plan, experts);
    this.exchangeNs = links.busyNs - linksNs;
    this.fetchNs = components[component.expertFetch]! - fetchNs;
  }

  /** The layers, in one go as far as they go. */
  private layers(plan: StagePlan, experts: ExpertSource): void {
    if (!experts.layersAlike || this.host !== null) {
      this.goOn(plan);
      return;
    }
    for (const alike of plan.alike) {
      // From equal clocks a layer adds the same each time.
      this.clocks.meet(this.mixing.prompts);
      this.watch?.outside();
      const first = this.crossings.count;
      const beganNs = this.clocks.ns[0]!;
      if (alike.count > 1) this.repeated.begin();
      this.layer(plan, alike.layer);
      this.crossings.repeat(first, alike.count - 1, this.clocks.ns[0]! - beganNs);
      if (alike.count === 1) continue;
      this.repeated.end(alike.count - 1);
      this.watch?.repeats(alike.count - 1);
    }
    this.end(plan);
  }

  /** Does what is due at `nextNs` and goes on up to the next such time. */
  advance(): void {
    const { call, plan } = this;
    this.usedNs = this.nextNs;
    if (this.crossing >= 0) {
      this.cross(this.crossing++);
      return;
    }
    call!.advance();
    this.nextNs = call!.nextNs;
    if (this.nextNs < Number.POSITIVE_INFINITY) return;
    const { links, components } = this.accounts;
    const linksNs = links.busyNs;
    const fetchNs = components[component.expertFetch]!;
    this.watch?.resumes();
    this.endExperts(plan!.first + this.at);
    this.at++;
    this.goOn(plan!);
    this.exchangeNs += links.busyNs - linksNs;
    this.fetchNs += components[component.expertFetch]! - fetchNs;
  }

  /** Layer after layer, until one pauses at its experts. */
  private goOn(plan: StagePlan): void {
    for (; this.at < plan.layers; this.at++) if (!this.layer(plan, this.at)) return;
    this.end(plan);
  }

  private end(plan: StagePlan): void {
    const { clocks } = this;
    clocks.meet(this.mixing.prompts);
    const { endsNs } = this.halves.shown;
    this.accounts.components[component.combine]! += endsNs;
    clocks.add(endsNs);
    const { host } = this;
    if (host !== null && plan.layers === host.work.layers && !host.work.head) this.crossBoundary(host);
    if (this.last) this.alone.head(this.programs.head, this.shares);
    if (!this.config.engine.capturesGraphs) this.waitForLaunches(plan);
    this.watch?.outside();
    this.ns = clocks.ns[0]!;
    this.crossing = 0;
    this.nextCrossing();
  }

  /** One transfer between the devices takes its turn on the shared links; what comes after it is as much later. */
  private cross(i: number): void {
    const { crossings, nextNs } = this;
    const ns = crossings.ns[i]!;
    let endNs = nextNs + ns;
    for (const root of this.roots!) endNs = Math.max(endNs, root.demand(nextNs, ns, crossings.bytes[i]!));
    this.lateNs += endNs - nextNs - ns;
    this.nextCrossing();
  }

  private nextCrossing(): void {
    const { crossings, crossing, lateNs } = this;
    if (crossing < crossings.count) {
      this.nextNs = this.startNs + crossings.atNs[crossing]! + lateNs;
      return;
    }
    this.nextNs = Number.POSITIVE_INFINITY;
    this.watch?.resumes();
    this.accounts.components[component.allReduce]! += lateNs;
    this.watch?.outside();
    this.ns += lateNs;
  }

  /** One layer: overhead, token mixing and feed-forward, added to the clocks. Returns whether it is done. */
  private layer(plan: StagePlan, i: number): boolean {
    const { config, programs, mixing: mixingTime } = this;
    const { components } = this.accounts;
    const clock = this.clocks.ns;
    const dp = clock.length;
    if (this.host !== null && plan.first + i === this.host.work.layers) this.crossBoundary(this.host);
    const mixing = plan.attentionClass[i]!;
    const program = programs.feedForward[plan.feedForwardClass[i]!]!;
    // Layers without experts exchange nothing: they run whole batches.
    const halves = this.halves.active && program.kind === "moe";
    const at = plan.first + i;
    // Kernels of processors are launched by themselves.
    const launched = this.host?.has(at) === true && !this.host.productsOnDevice ? 0 : this.layerKernels(plan, i);
    const overhead = launched * config.engine.kernelOverheadNs;
    const hostNs = this.host?.mixingNs(mixing, at) ?? null;
    for (let g = 0; g < dp; g++) clock[g]! += overhead + (hostNs ?? mixingTime.ns(mixing, g, halves));
    this.clocks.attentionWaitNs += mixingTime.promptlessWaitNs[mixing]!;
    components[component.kernelOverhead]! += overhead;
    const mixNs = hostNs ?? mixingTime.meanNs(mixing, halves);
    components[component.attention]! += mixNs;
    let reduceNs = 0;
    const crossings = this.roots === null ? null : this.crossings;
    if (programs.sumsNorms[mixing]!) reduceNs += this.alone.sumNs(this.shares, normSumBytes, halves, crossings);
    if (this.context !== null) reduceNs += this.alone.contextNs(this.context, this.batches, mixing, halves, crossings);
    if (config.mapping.tp > 1 && programs.mixes[mixing]!)
      reduceNs += this.alone.sumNs(this.shares, this.hiddenBytes, halves, crossings);
    if (program.kind === "dense") this.alone.dense(program, this.shares, crossings, plan.feedForwardClass[i]!, at);
    this.watch?.mixed(clock);
    if (program.kind !== "moe") {
      this.watch?.layerEnds(at, clock, null, 0);
      return true;
    }
    if (halves) {
      const { kernelOverheadNs } = config.engine;
      const feedForwardKernels = programs.feedForwardKernels[plan.feedForwardClass[i]!]!;
      const mixingLaunchNs = programs.mixingKernels[mixing]! * kernelOverheadNs;
      this.halves.beginLayer(mixing, mixingLaunchNs, feedForwardKernels * kernelOverheadNs, reduceNs);
    }
    const { startNs, usedNs, tokens, batches, shares } = this;
    const hostProgram = this.host?.has(at) === true ? this.host.programs.feedForward[plan.feedForwardClass[i]!]! : null;
    const call = this.phase.begin(
      program,
      plan.moeIndex[i]!,
      startNs,
      usedNs,
      tokens,
      batches,
      shares,
      this.experts!,
      hostProgram?.kind === "moe" ? hostProgram : null,
    );
    this.watch?.dispatched();
    if (call !== null) {
      this.call = call;
      this.nextNs = call.nextNs;
      return false;
    }
    this.endExperts(at);
    return true;
  }

  /** From the last layer of the host to the first of the device, or to its head. The host begins with tokens that it has. */
  private crossBoundary(host: HostWorkTime): void {
    if (host.work.layers === 0) return;
    const ns = host.boundaryNs(this.tokens);
    this.accounts.components[component.hostOverhead]! += ns;
    this.clocks.add(ns);
  }

  private endExperts(layer: number): void {
    this.phase.end(this.batches, this.roots === null ? null : this.crossings);
    this.served.productShare = 1;
    this.watch?.layerEnds(layer, this.clocks.ns, this.phase.call, this.phase.beginNs);
  }

  /** Kernels that a layer launches in this step: each half batch needs its own. */
  private layerKernels(plan: StagePlan, i: number): number {
    const { feedForward: programs, mixingKernels, feedForwardKernels } = this.programs;
    const feedForward = plan.feedForwardClass[i]!;
    const parts = this.halves.active && programs[feedForward]!.kind === "moe" ? 2 : 1;
    return parts * (mixingKernels[plan.attentionClass[i]!]! + feedForwardKernels[feedForward]!);
  }

  /** Without captured graphs the host launches every kernel. The device waits where it is faster than the launches. */
  private waitForLaunches(plan: StagePlan): void {
    let kernels = 0;
    for (let i = 0; i < plan.layers; i++) kernels += this.layerKernels(plan, i);
    const waits = Math.max(0, kernels * this.config.engine.eagerLaunchNs - this.clocks.ns[0]!);
    this.accounts.components[component.kernelOverhead]! += waits;
    this.clocks.add(waits);
  }
}
