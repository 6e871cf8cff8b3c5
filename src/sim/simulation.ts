import { holds } from "../core/errors.ts";
import { EventQueue } from "../core/event-queue.ts";
import { LogHistogram } from "../core/histogram.ts";
import type { SimConfig } from "./config.ts";
import { Deployment } from "./deployment.ts";
import type { DpRank } from "./dp-rank.ts";
import { eventKind, eventPriority } from "./events.ts";
import type { Handover } from "./handover/handover.ts";
import { kvUseOf } from "./memory/kv-use.ts";
import { buildModelTurns } from "./model-cache/build-model-turns.ts";
import type { ModelTurns } from "./model-cache/model-turns.ts";
import { LawCounter } from "./outcome/law-counter.ts";
import { checkFinal, checkRequest } from "./outcome/laws.ts";
import { buildResult } from "./outcome/run-result.ts";
import type { RunView } from "./outcome/run-view.ts";
import { SeriesRecorder } from "./outcome/series.ts";
import type { StepWatch } from "./outcome/step-watch.ts";
import type { Pool } from "./pool.ts";
import type { Replica, StepInFlight } from "./replica.ts";
import { RequestFlow } from "./request-flow.ts";
import { RequestState } from "./request-state.ts";
import { type RunResult, requestStatus } from "./result.ts";
import { Scaling } from "./scaling/scaling.ts";
import { StepEnd, type StepOutcome } from "./step-end.ts";
import { type FollowSteps, type StepListener, StepRunner } from "./step-runner.ts";

const stepsWithoutTokenMax = 1_000_000;

/**
 * One run of the simulator. A request arrives, is routed to a replica, tokenised by a front end and handed to a
 * data-parallel rank. Each replica repeats: form a step from its ranks, look up the routed experts of every token, time
 * the layers, emit tokens at the end of the step. A request that a `prefill` pool is through with goes on in a `decode`
 * pool once its KV cache is there. `advance` runs a number of steps, so that a caller can stop between them; `result`
 * may be asked for at any time.
 */
export class Simulation implements RunView {
  readonly config: SimConfig;
  readonly state: RequestState;
  readonly itl = new LogHistogram();
  readonly series = new SeriesRecorder();
  readonly laws = new LawCounter();
  steps = 0;
  completed = 0;
  interrupted = false;
  private readonly queue = new EventQueue(256);
  private readonly deployment: Deployment;
  private readonly flow: RequestFlow;
  private readonly scaling: Scaling;
  /** Whether replicas come and go. */
  private readonly scaled: boolean;
  private readonly runner: StepRunner;
  private readonly stepEnd: StepEnd;
  /** null where each replica has its devices for itself. */
  readonly models: ModelTurns | null;
  /** [pools] */
  private readonly outcomes: readonly StepOutcome[];
  /** Steps in flight of the replica with most. */
  private readonly inFlightMax: number;
  private lastEventNs = 0;
  private running = 0;
  private stepsSinceToken = 0;

  private readonly onStep: ((ns: number, endNs: number) => void) | undefined;
  private readonly watch: StepWatch | undefined;

  constructor(
    config: SimConfig,
    onStep?: (ns: number, endNs: number) => void,
    watch?: StepWatch,
    follow: FollowSteps | null = null,
  ) {
    this.config = config;
    this.onStep = onStep;
    this.watch = watch;
    this.state = new RequestState(config.workload.requests);
    this.deployment = new Deployment(config, this.state);
    const { pools, replicas } = this.deployment;
    this.inFlightMax = Math.max(...replicas.map(({ inFlight }) => inFlight.length));
    this.flow = new RequestFlow(config, this.state, this.deployment, this.queue, {
      wake: (replica, atNs) => this.wake(replica, atNs),
      waits: (replica, atNs) => this.startLater(replica, atNs),
      joined: (request, atNs) => this.join(request, atNs),
      reached: (replica, atNs) => this.models?.count(replica, atNs),
      recordSpan: (atNs) => this.recordSpan(atNs),
    });
    this.stepEnd = new StepEnd(this.state, this.itl, this.laws, config.warmupRequests, this);
    this.outcomes = pools.map(({ config: { scheduler }, role, speculation }) => ({
      speculation,
      prefixCaching: scheduler.prefixCaching,
      sharesAnswers: scheduler.prefixCaching && role !== "decode" && config.workload.requests.turns !== undefined,
      handsOver: role === "prefill" || role === "router",
      emitsFirst: config.handover?.firstToken === "prefill",
      onlyReads: role === "router",
    }));
    const listener: StepListener = {
      firstStageFree: (replica, atNs) => this.queue.push(atNs, eventPriority.start, eventKind.start, replica),
      stepEnds: (replica, step, startNs, endNs, fetchNs, measure) => {
        this.onStep?.(endNs - startNs, endNs);
        this.watch?.ends(step, endNs, fetchNs, measure);
        this.queue.push(endNs, eventPriority.stepDone, eventKind.stepDone, replica * this.inFlightMax + step.index);
      },
      nextEventNs: () => this.queue.peekNs(),
      advanceAt: (group, atNs) => this.queue.push(atNs, eventPriority.advance, eventKind.advance, group),
    };
    this.runner = new StepRunner(pools, listener, follow);
    this.scaled = pools.some(({ scaling }) => scaling !== null);
    this.scaling = new Scaling(pools, this.queue, {
      over: () => this.completed + this.rejected === this.state.count,
      changed: (atNs) => {
        this.recordSpan(atNs);
        this.deployment.refresh();
      },
    });
    this.models =
      config.modelCache === undefined
        ? null
        : buildModelTurns(config.modelCache, this.deployment, {
            wake: (model, atNs) => this.wake(model, atNs),
            loadedLater: (model, atNs) => this.queue.push(atNs, eventPriority.arrival, eventKind.modelLoaded, model),
          });
    for (const replica of replicas) if (replica.life.state === "starting") this.scaling.load(replica);
    this.flow.open();
  }

  get pools(): readonly Pool[] {
    return this.deployment.pools;
  }

  get replicas(): readonly Replica[] {
    return this.deployment.replicas;
  }

  get dpRanks(): readonly DpRank[] {
    return this.deployment.dpRanks;
  }

  get handover(): Handover | null {
    return this.flow.handover;
  }

  get rejected(): number {
    return this.flow.rejected;
  }

  get outputTokens(): number {
    return this.stepEnd.outputTokens;
  }

  get promptTokensComputed(): number {
    return this.stepEnd.promptTokensComputed;
  }

  get nowNs(): number {
    return this.lastEventNs;
  }

  /** Runs up to `steps` steps; returns whether the run is over. */
  advance(steps: number): boolean {
    const until = this.steps + steps;
    const { queue, flow } = this;
    while (this.steps < until) {
      if (!queue.pop()) return true;
      const { kind, payload, atNs } = queue;
      // An arrival that is served at once changes nothing that a series shows, nor does a step on its way.
      if (kind === eventKind.arrival) flow.arrive(payload, atNs);
      else if (kind === eventKind.advance) this.runner.advance(payload, atNs);
      else if (kind === eventKind.tick) this.scaling.tick(payload, atNs);
      else if (kind === eventKind.ready) this.serve(this.replicas[payload]!, atNs);
      else {
        this.recordSpan(atNs);
        if (kind === eventKind.turn) flow.waiting--;
        else if (kind === eventKind.tokenised) this.tokenised(payload, atNs);
        else if (kind === eventKind.stepDone) this.finishStep(payload, atNs);
        else if (kind === eventKind.start) this.startSteps(this.replicas[payload]!, atNs);
        else if (kind === eventKind.modelLoaded) this.models!.loaded(payload, atNs);
        else if (kind === eventKind.chosen) this.goOn(payload, atNs);
        else if (kind === eventKind.kvBegins) flow.handover!.begin(payload, atNs);
        else if (kind === eventKind.kvArrives) flow.handover!.arrive(payload, atNs);
        else flow.askForRoom(payload, atNs);
        if (this.scaled) this.scaling.settle(atNs);
      }
    }
    return queue.size === 0;
  }

  private recordSpan(atNs: number): void {
    holds(atNs >= this.lastEventNs, "clock-monotone", () => `${atNs} after ${this.lastEventNs}`);
    const { newTokens } = this.stepEnd;
    if (atNs === this.lastEventNs && newTokens === 0) return;
    this.series.add(this.lastEventNs, atNs, this.flow.waiting, this.running, this.kvUse(), newTokens);
    this.stepEnd.newTokens = 0;
    this.lastEventNs = atNs;
  }

  /**
   * Share in use of the fullest KV pool, over all data-parallel ranks of the replicas of a pool that are not off; of models that
   * take turns, that of each.
   */
  private kvUse(): number {
    let fullest = 0;
    if (this.models !== null) {
      for (const model of this.models.room.atWork) {
        const { place, dpRanks } = this.replicas[model]!;
        fullest = Math.max(fullest, kvUseOf(dpRanks, this.pools[place.pool]!.memory.kv));
      }
      return fullest;
    }
    for (let i = 0; i < this.pools.length; i++) {
      const { dpRanks, memory, scaling } = this.pools[i]!;
      fullest = Math.max(fullest, kvUseOf(scaling?.ranksOn ?? dpRanks, memory.kv));
    }
    return fullest;
  }

  /** A request goes on in a decode pool. */
  private join(request: number, atNs: number): void {
    const { state, handover, deployment } = this;
    const rank = state.dpRank[request]!;
    if (handover!.config.firstToken === "handover") {
      this.stepEnd.emitFirst(request, atNs);
      if (state.outputTokens[request] === 1) {
        const dpRank = this.dpRanks[rank]!;
        this.complete(request, dpRank, atNs);
        dpRank.compact();
        handover!.admit(rank, atNs);
      }
    }
    this.wake(deployment.replicaOf(rank), atNs);
  }

  private tokenised(request: number, atNs: number): void {
    this.watch?.tokenised(request, atNs);
    this.flow.tokenised(request, atNs);
  }

  /** A replica has loaded. */
  private serve(replica: Replica, atNs: number): void {
    if (this.scaling.ready(replica, atNs)) this.startSteps(replica, atNs);
  }

  private wake(replica: number, atNs: number): void {
    const target = this.replicas[replica]!;
    holds(target.life.state !== "off", "replica-state", () => `replica ${replica} is off, and has something to do`);
    if (target.startPending) return;
    if (!target.canStart(atNs)) {
      this.startLater(target, atNs);
      return;
    }
    target.startPending = true;
    this.queue.push(atNs, eventPriority.start, eventKind.start, replica);
  }

  /** A replica with work stands still for experts to move: its next step starts when they have. */
  private startLater(replica: Replica, atNs: number): void {
    if (this.deployment.poolOf(replica).experts.rebalances.length === 0) return;
    const freeNs = replica.stageFreeNs[0]!;
    if (replica.startPending || freeNs <= atNs || freeNs === Number.POSITIVE_INFINITY) return;
    if (replica.runningCount() === 0 && !replica.wanted()) return;
    replica.startPending = true;
    this.queue.push(freeNs, eventPriority.start, eventKind.start, replica.place.index);
  }

  private startSteps(replica: Replica, atNs: number): void {
    replica.startPending = false;
    if (!replica.canStart(atNs)) {
      this.startLater(replica, atNs);
      return;
    }
    const model = replica.place.index;
    if (this.models !== null && !this.models.enter(model, atNs)) return;
    const { intake } = replica;
    if (!intake.ahead && intake.due()) this.flow.look(replica, atNs);
    let step = this.form(replica);
    if (step === null && intake.size > 0) {
      this.flow.look(replica, atNs);
      step = this.form(replica);
    }
    this.models?.formed(model, step !== null, atNs);
    if (step === null) return;
    this.steps++;
    const pool = this.deployment.poolOf(replica);
    pool.experts.look(pool.ownIndex(replica), step, this.state.computed, atNs);
    this.markScheduled(replica, step, atNs);
    this.watch?.begins(replica, step, this.state, atNs);
    // With pipeline stages, the next step may enter when the first stage is free.
    if (replica.inFlight.length > 1) replica.startPending = true;
    this.runner.start(replica, step, atNs, this.watch?.measures?.(step) === true);
    intake.countStep(step.batches.some((batch) => batch.prefillTokens > 0));
    if (intake.ahead && intake.due()) this.flow.look(replica, atNs);
  }

  private form(replica: Replica): StepInFlight | null {
    const before = replica.runningCount();
    const step = replica.form();
    this.running += replica.runningCount() - before;
    this.flow.waiting -= replica.runningCount() - before;
    return step;
  }

  private markScheduled({ place }: Replica, step: StepInFlight, atNs: number): void {
    const { state, handover } = this;
    const { scheduledNs, computed } = state;
    const role = this.pools[place.pool]!.role;
    for (const part of step.parts) {
      for (let i = 0; i < part.count; i++) {
        const request = part.requests[i]!;
        if (Number.isNaN(scheduledNs[request]!)) scheduledNs[request] = atNs;
        if (role === "prefill") handover!.started(request, computed[request]! + part.tokens[i]!, atNs);
        else if (role === "decode") handover!.scheduled(request, atNs);
      }
    }
  }

  private finishStep(payload: number, atNs: number): void {
    const index = Math.floor(payload / this.inFlightMax);
    const replica = this.replicas[index]!;
    const pool = this.deployment.poolOf(replica);
    const { experts, role } = pool;
    const step = replica.inFlight[payload % this.inFlightMax]!;
    const before = this.outputTokens;
    const outcome = this.outcomes[replica.place.pool]!;
    for (let d = 0; d < step.parts.length; d++) this.stepEnd.finish(step.parts[d]!, replica.dpRanks[d]!, outcome, atNs);
    replica.release(step);
    experts.check();
    experts.rebalances[pool.ownIndex(replica)]?.passed(replica.stageFreeNs, atNs);
    if (role === "decode")
      for (let d = 0; d < replica.dpRanks.length; d++) this.handover!.admit(replica.place.firstRank + d, atNs);
    this.stepsSinceToken = this.outputTokens > before ? 0 : this.stepsSinceToken + 1;
    holds(
      this.stepsSinceToken < stepsWithoutTokenMax,
      "progress",
      () => `${stepsWithoutTokenMax} steps without a token`,
    );
    this.models?.ended(index, atNs);
    this.wake(index, atNs);
  }

  /** A part of a prompt is computed in a pool that does nothing else. */
  computed(request: number, done: number, atNs: number): void {
    if (this.handover !== null) this.handover.computed(request, done, atNs);
    else if (this.state.leaving[request] === 1) {
      const rank = this.state.dpRank[request]!;
      this.dpRanks[rank]!.kv.release(request);
      this.dpRanks[rank]!.outstandingTokens -= this.deployment.loadOf(request, rank);
      this.queue.push(atNs, eventPriority.arrival, eventKind.chosen, request);
    }
  }

  /** A request whose prompt was read goes to its model. */
  private goOn(request: number, atNs: number): void {
    this.running--;
    this.flow.goOn(request, atNs);
  }

  /** The last token of a request is emitted. */
  complete(request: number, dpRank: DpRank, atNs: number): void {
    const { state } = this;
    state.status[request] = requestStatus.completed;
    this.completed++;
    this.running--;
    dpRank.kv.release(request);
    dpRank.outstandingTokens -= this.deployment.loadOf(request, state.dpRank[request]!);
    checkRequest(state, request, this.laws);
    this.flow.over(request, atNs);
  }

  /** The result so far; `interrupted` says that requests were left unfinished on purpose. */
  result(interrupted = false): RunResult {
    this.interrupted = interrupted;
    this.runner.finish();
    for (const { experts } of this.deployment.pools) experts.finish(this.nowNs);
    this.recordSpan(this.lastEventNs);
    checkFinal(this);
    return buildResult(this);
  }
}
