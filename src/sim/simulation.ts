import { holds, InfeasibleError, InvariantError } from "../core/errors.ts";
import { EventQueue } from "../core/event-queue.ts";
import { LogHistogram } from "../core/histogram.ts";
import type { Router, RouterView } from "../policy/router/router.ts";
import { poolsOf, type SimConfig } from "./config.ts";
import type { DpRank } from "./dp-rank.ts";
import { Handover } from "./handover/handover.ts";
import { HandoverPaths } from "./handover/handover-paths.ts";
import { devicesOf } from "./mapping.ts";
import { LawCounter } from "./outcome/law-counter.ts";
import { checkFinal, checkRequest } from "./outcome/laws.ts";
import { buildResult } from "./outcome/run-result.ts";
import type { RunView } from "./outcome/run-view.ts";
import { SeriesRecorder } from "./outcome/series.ts";
import { Pool } from "./pool.ts";
import { layOutPools } from "./pool-layout.ts";
import type { Replica, StepInFlight } from "./replica.ts";
import { RequestState } from "./request-state.ts";
import { type RunResult, requestStatus } from "./result.ts";
import { replicaView } from "./router-views.ts";
import { StepEnd, type StepOutcome } from "./step-end.ts";
import { StepRunner } from "./step-runner.ts";

const eventKind = {
  arrival: 0,
  turn: 1,
  tokenised: 2,
  stepDone: 3,
  start: 4,
  kvBegins: 5,
  kvArrives: 6,
  kvAsks: 7,
  advance: 8,
} as const;
/**
 * At one instant: first what steps in flight do in the nanosecond before it, whose order is finer than whole nanoseconds;
 * then arrivals, finished steps, and new steps, so that a step sees all that has happened.
 */
const eventPriority = { advance: 0, arrival: 1, stepDone: 2, start: 3 } as const;
const stepsWithoutTokenMax = 1_000_000;

/** Replicas that a request may go to, and what chooses among them. */
interface Targets {
  readonly replicas: readonly Replica[];
  readonly router: Router;
  readonly view: RouterView;
}

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
  readonly pools: readonly Pool[];
  /** Of all pools in their order. */
  readonly replicas: readonly Replica[];
  readonly dpRanks: readonly DpRank[];
  /** null where every pool serves its requests alone. */
  readonly handover: Handover | null;
  readonly itl = new LogHistogram();
  readonly series = new SeriesRecorder();
  readonly laws = new LawCounter();
  steps = 0;
  completed = 0;
  rejected = 0;
  interrupted = false;
  private readonly queue = new EventQueue(256);
  private readonly runner: StepRunner;
  private readonly stepEnd: StepEnd;
  /** [pools] */
  private readonly outcomes: readonly StepOutcome[];
  /** [data-parallel ranks] index of the replica. */
  private readonly replicaOf: readonly number[];
  /** Steps in flight of the replica with most. */
  private readonly inFlightMax: number;
  private readonly entry: Targets;
  private readonly decode: Targets | null;
  private readonly decodePools: readonly Pool[];
  private nextRequest = 0;
  private lastEventNs = 0;
  /** Requests that wait for their turn in a front end or for a step. */
  private waitingCount = 0;
  private runningCount = 0;
  private stepsSinceToken = 0;

  private readonly onStep: ((ns: number) => void) | undefined;

  constructor(config: SimConfig, onStep?: (ns: number) => void) {
    this.config = config;
    this.onStep = onStep;
    const { requests } = config.workload;
    this.state = new RequestState(requests);
    const pools: Pool[] = [];
    const replicas: Replica[] = [];
    const dpRanks: DpRank[] = [];
    for (const [index, each] of poolsOf(config).entries()) {
      const place = { pool: index, index: replicas.length, firstRank: dpRanks.length };
      const pool = new Pool(each, place, { requests, state: this.state, seed: config.seed });
      pools.push(pool);
      replicas.push(...pool.replicas);
      dpRanks.push(...pool.dpRanks);
    }
    this.pools = pools;
    this.replicas = replicas;
    this.dpRanks = dpRanks;
    this.replicaOf = replicas.flatMap((replica, index) => replica.dpRanks.map(() => index));
    this.inFlightMax = Math.max(...replicas.map(({ inFlight }) => inFlight.length));
    this.decodePools = pools.filter(({ role }) => role === "decode");
    this.entry = this.targets((pool) => pool.role !== "decode", config.router);
    const { handover } = config;
    this.decode = handover === undefined ? null : this.targets(({ role }) => role === "decode", handover.router);
    this.handover = handover === undefined ? null : this.handoverOf(handover);
    this.stepEnd = new StepEnd(this.state, this.itl, this.laws, config.warmupRequests, this);
    this.outcomes = pools.map(({ config: { scheduler }, role, speculation }) => ({
      speculation,
      prefixCaching: scheduler.prefixCaching,
      handsOver: role === "prefill",
      emitsFirst: handover?.firstToken === "prefill",
    }));
    for (const pool of this.decodePools) this.checkRoom(pool);
    this.runner = new StepRunner(pools, {
      firstStageFree: (replica, atNs) => this.queue.push(atNs, eventPriority.start, eventKind.start, replica),
      stepEnds: (replica, step, startNs, endNs) => {
        this.onStep?.(endNs - startNs);
        this.queue.push(endNs, eventPriority.stepDone, eventKind.stepDone, replica * this.inFlightMax + step.index);
      },
      advanceAt: (group, atNs) => this.queue.push(atNs, eventPriority.advance, eventKind.advance, group),
    });
    for (const pool of pools) if (pool.config.readyNs > 0) this.startLater(pool);
    this.openWorkload();
  }

  /** A decode pool holds the KV cache of at least one request, or nothing is served. */
  private checkRoom(pool: Pool): void {
    const { state } = this;
    for (let request = 0; request < state.count; request++) if (this.fits(request, pool)) return;
    if (state.count === 0) return;
    const shortest = state.promptTokens.reduce(
      (low, prompt, i) => Math.min(low, prompt + state.outputTokens[i]!),
      Infinity,
    );
    throw new InfeasibleError(
      `pool ${pool.config.name} cannot hold the KV cache of any request: the shortest has ${shortest} tokens, ` +
        `it takes ${Math.min(pool.memory.kv.sequenceTokensMax, pool.config.scheduler.contextTokensMax)}`,
    );
  }

  private targets(of: (pool: Pool) => boolean, router: SimConfig["router"]): Targets {
    const pools = this.pools.filter(of);
    const replicas = pools.flatMap((pool) => pool.replicas);
    const views = pools.flatMap((pool) => pool.rankViews);
    return { replicas, router: router.create(replicas.length), view: replicaView(replicas, views) };
  }

  private handoverOf(config: NonNullable<SimConfig["handover"]>): Handover {
    const { dpRanks, queue } = this;
    const paths = new HandoverPaths(this.pools, layOutPools(poolsOf(this.config)));
    return new Handover(config, this.state, {
      dpRanks,
      path: (from, to) => paths.between(this.replicaOf[from]!, this.replicaOf[to]!),
      chooseTarget: (request) => this.chooseRank(request, this.decode!),
      loadOf: (request, rank) => this.loadOf(request, rank),
      hear: (request, rank, atNs) => this.takeIn(request, this.replicas[this.replicaOf[rank]!]!, atNs),
      askLater: (atNs, request) => queue.push(atNs, eventPriority.arrival, eventKind.kvAsks, request),
      beginLater: (atNs, shipment) => queue.push(atNs, eventPriority.arrival, eventKind.kvBegins, shipment),
      arriveLater: (atNs, request) => queue.push(atNs, eventPriority.arrival, eventKind.kvArrives, request),
      prefill: (request, atNs) => this.enqueue(request, atNs),
      joined: (request, atNs) => this.join(request, atNs),
      left: (rank, atNs) => this.wake(this.replicaOf[rank]!, atNs),
    });
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

  /** Replicas that load begin their first step when they are ready. */
  private startLater({ replicas, config: { readyNs } }: Pool): void {
    for (const replica of replicas) {
      replica.stageFreeNs.fill(readyNs);
      replica.startPending = true;
      this.queue.push(readyNs, eventPriority.start, eventKind.start, replica.place.index);
    }
  }

  private openWorkload(): void {
    const { workload } = this.config;
    if (workload.requests.count === 0) return;
    if (workload.kind === "open") {
      this.queue.push(this.state.arrivalNs[0]!, eventPriority.arrival, eventKind.arrival, 0);
      return;
    }
    const clients = Math.min(workload.concurrency, workload.requests.count);
    for (let client = 0; client < clients; client++) this.sendNext(0);
  }

  /** Closed loop: the next request of a client is sent now. */
  private sendNext(atNs: number): void {
    if (this.nextRequest >= this.state.count) return;
    const request = this.nextRequest++;
    this.state.arrivalNs[request] = atNs;
    this.queue.push(atNs, eventPriority.arrival, eventKind.arrival, request);
  }

  /** Runs up to `steps` steps; returns whether the run is over. */
  advance(steps: number): boolean {
    const until = this.steps + steps;
    const { queue } = this;
    while (this.steps < until) {
      if (!queue.pop()) return true;
      // An arrival that is served at once changes nothing that a series shows, nor does a step on its way.
      if (queue.kind === eventKind.arrival) this.arrive(queue.payload, queue.atNs);
      else if (queue.kind === eventKind.advance) this.runner.advance(queue.payload, queue.atNs);
      else {
        this.recordSpan(queue.atNs);
        if (queue.kind === eventKind.turn) this.waitingCount--;
        else if (queue.kind === eventKind.tokenised) this.tokenised(queue.payload, queue.atNs);
        else if (queue.kind === eventKind.stepDone) this.finishStep(queue.payload, queue.atNs);
        else if (queue.kind === eventKind.start) this.startSteps(this.replicas[queue.payload]!, queue.atNs);
        else if (queue.kind === eventKind.kvBegins) this.handover!.begin(queue.payload, queue.atNs);
        else if (queue.kind === eventKind.kvArrives) this.handover!.arrive(queue.payload, queue.atNs);
        else this.askForRoom(queue.payload, queue.atNs);
      }
    }
    return queue.size === 0;
  }

  private recordSpan(atNs: number): void {
    holds(atNs >= this.lastEventNs, "clock-monotone", () => `${atNs} after ${this.lastEventNs}`);
    const { newTokens } = this.stepEnd;
    if (atNs === this.lastEventNs && newTokens === 0) return;
    this.series.add(this.lastEventNs, atNs, this.waitingCount, this.runningCount, this.kvUse(), newTokens);
    this.stepEnd.newTokens = 0;
    this.lastEventNs = atNs;
  }

  /** Share in use of the fullest KV pool, over all data-parallel ranks of a pool of replicas. */
  private kvUse(): number {
    let fullest = 0;
    for (let i = 0; i < this.pools.length; i++) {
      const { dpRanks, memory } = this.pools[i]!;
      const { main, apart } = memory.kv;
      let used = 0;
      for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.main.used;
      fullest = Math.max(fullest, used / (dpRanks.length * main.capacity));
      for (let p = 0; p < apart.length; p++) {
        used = 0;
        for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.pools[p + 1]!.used;
        fullest = Math.max(fullest, used / (dpRanks.length * apart[p]!.capacity));
      }
    }
    return fullest;
  }

  /** A request reaches the router: a replica is chosen, and its front ends take the request in. */
  private arrive(request: number, atNs: number): void {
    const { state, config, queue } = this;
    const prompt = state.promptTokens[request]!;
    const local = config.handover !== undefined && prompt <= config.handover.localPromptTokens;
    const { router, view, replicas } = local ? this.decode! : this.entry;
    const chosen = router.choose(request, view);
    const replica = replicas[chosen];
    if (replica === undefined) throw new InvariantError("router-target", `replica ${chosen}`);
    state.dpRank[request] = replica.place.firstRank;
    state.status[request] = requestStatus.waiting;
    const seenNs = this.takeIn(request, replica, atNs);
    if (replica.frontEnds.turnNs > atNs) {
      this.recordSpan(atNs);
      this.waitingCount++;
      queue.push(replica.frontEnds.turnNs, eventPriority.arrival, eventKind.turn, request);
    }
    queue.push(seenNs, eventPriority.arrival, eventKind.tokenised, request);
    if (config.workload.kind === "closed") return;
    const next = request + 1;
    if (next < state.count) queue.push(state.arrivalNs[next]!, eventPriority.arrival, eventKind.arrival, next);
  }

  /** The front ends of a replica take a request in; returns when the scheduler sees it, ns. */
  private takeIn(request: number, replica: Replica, atNs: number): number {
    const { promptTokens, outputTokens } = this.state;
    const { requestOverheadNs, promptTokenOverheadNs, promptTokenDelayNs } = this.poolOf(replica).config.engine;
    const prompt = promptTokens[request]!;
    const tokens = prompt + outputTokens[request]!;
    const servedNs = replica.frontEnds.accept(atNs, Math.round(promptTokenOverheadNs * prompt), tokens);
    return servedNs + Math.round(requestOverheadNs + promptTokenDelayNs * prompt);
  }

  /** The scheduler of a decode pool sees a request whose prompt is computed. */
  private askForRoom(request: number, atNs: number): void {
    const { promptTokens, outputTokens } = this.state;
    const target = this.handover!.targetOf(request);
    this.replicas[this.replicaOf[target]!]!.frontEnds.handOver(promptTokens[request]! + outputTokens[request]!);
    this.handover!.heard(request, atNs);
  }

  private poolOf(replica: Replica): Pool {
    return this.pools[replica.place.pool]!;
  }

  /** The replica that a request was last given to. */
  private replicaWith(request: number): Replica {
    return this.replicas[this.replicaOf[this.state.dpRank[request]!]!]!;
  }

  private loadOf(request: number, rank: number): number {
    const { promptTokens, outputTokens } = this.state;
    return this.poolOf(this.replicas[this.replicaOf[rank]!]!).loadOf(promptTokens[request]!, outputTokens[request]!);
  }

  /** A tokenised request reaches its replica. The scheduler takes it over at once if it is idle, else when it looks. */
  private tokenised(request: number, atNs: number): void {
    const replica = this.replicaWith(request);
    if (replica.intake.open || (replica.intake.size === 0 && replica.idle(atNs))) {
      this.takeOver(request, atNs);
      return;
    }
    replica.intake.push(request);
    this.waitingCount++;
  }

  /** The scheduler of a replica takes over all requests that it finds. */
  private look(replica: Replica, atNs: number): void {
    for (const request of replica.intake.take()) {
      this.waitingCount--;
      this.takeOver(request, atNs);
    }
  }

  /** The scheduler of a replica takes a request over: a data-parallel rank is chosen, and it waits there. */
  private takeOver(request: number, atNs: number): void {
    const { state, config, handover } = this;
    const tokens = state.promptTokens[request]! + state.outputTokens[request]!;
    const replica = this.replicaWith(request);
    replica.frontEnds.handOver(tokens);
    const pool = this.poolOf(replica);
    const rank = this.rankOf(request, replica);
    const dpRank = this.dpRanks[rank]!;
    state.dpRank[request] = rank;
    const handsOver = pool.role === "prefill";
    if (!this.fits(request, pool) || (handsOver && !this.decodePools.every((each) => this.fits(request, each)))) {
      state.status[request] = requestStatus.rejected;
      this.rejected++;
      if (config.workload.kind === "closed") this.sendNext(atNs);
      return;
    }
    dpRank.outstandingTokens += this.loadOf(request, rank);
    this.waitingCount++;
    if (!handsOver || !handover!.waitsForRoom(request, atNs)) this.enqueue(request, atNs);
  }

  /** Whether a request that is alone in a pool gets through. */
  private fits(request: number, { config, role, memory }: Pool): boolean {
    const { promptTokens, outputTokens } = this.state;
    const tokens = promptTokens[request]! + outputTokens[request]!;
    if (tokens > config.scheduler.contextTokensMax) return false;
    // The last token is emitted, never cached: a request alone needs room for all others.
    const cached = role === "prefill" ? promptTokens[request]! : tokens - 1;
    return cached <= memory.kv.sequenceTokensMax;
  }

  /** A data-parallel rank of a replica, as the pool's router chooses it for a request. */
  private rankOf(request: number, replica: Replica): number {
    const pool = this.poolOf(replica);
    const own = replica.place.index - pool.replicas[0]!.place.index;
    const rank = pool.rankRouters[own]!.choose(request, pool.rankViews[own]!);
    holds(rank >= 0 && rank < replica.dpRanks.length, "router-target", () => `rank ${rank}`);
    return replica.place.firstRank + rank;
  }

  /** The data-parallel rank of a decode pool that a request goes on in. */
  private chooseRank(request: number, { replicas, router, view }: Targets): number {
    const chosen = router.choose(request, view);
    const replica = replicas[chosen];
    if (replica === undefined) throw new InvariantError("router-target", `replica ${chosen}`);
    return this.rankOf(request, replica);
  }

  /** A request waits on its data-parallel rank for a step. */
  private enqueue(request: number, atNs: number): void {
    const rank = this.state.dpRank[request]!;
    this.dpRanks[rank]!.enqueue(request);
    this.wake(this.replicaOf[rank]!, atNs);
  }

  /** A request goes on in a decode pool. */
  private join(request: number, atNs: number): void {
    const { state } = this;
    const rank = state.dpRank[request]!;
    if (this.handover!.config.firstToken === "handover") {
      this.stepEnd.emitFirst(request, atNs);
      if (state.outputTokens[request] === 1) {
        this.complete(request, this.dpRanks[rank]!, atNs);
        this.dpRanks[rank]!.compact();
        this.handover!.admit(rank, atNs);
      }
    }
    this.wake(this.replicaOf[rank]!, atNs);
  }

  private wake(replica: number, atNs: number): void {
    const target = this.replicas[replica]!;
    if (target.startPending || !target.canStart(atNs)) return;
    target.startPending = true;
    this.queue.push(atNs, eventPriority.start, eventKind.start, replica);
  }

  private startSteps(replica: Replica, atNs: number): void {
    const { index } = replica.place;
    replica.startPending = false;
    if (!replica.canStart(atNs)) return;
    const { intake } = replica;
    if (!intake.ahead && intake.due()) this.look(replica, atNs);
    let step = this.form(replica);
    if (step === null && intake.size > 0) {
      this.look(replica, atNs);
      step = this.form(replica);
    }
    if (step === null) return;
    this.steps++;
    const pool = this.poolOf(replica);
    pool.experts.look(index - pool.replicas[0]!.place.index, step, this.state.computed);
    this.markScheduled(replica, step, atNs);
    // With pipeline stages, the next step may enter when the first stage is free.
    if (replica.inFlight.length > 1) replica.startPending = true;
    this.runner.start(replica, step, atNs);
    intake.countStep(step.batches.some((batch) => batch.prefillTokens > 0));
    if (intake.ahead && intake.due()) this.look(replica, atNs);
  }

  private form(replica: Replica): StepInFlight | null {
    const before = replica.runningCount();
    const step = replica.form();
    this.runningCount += replica.runningCount() - before;
    this.waitingCount -= replica.runningCount() - before;
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
    const { experts, role } = this.poolOf(replica);
    const step = replica.inFlight[payload % this.inFlightMax]!;
    const before = this.outputTokens;
    const outcome = this.outcomes[replica.place.pool]!;
    for (let d = 0; d < step.parts.length; d++) this.stepEnd.finish(step.parts[d]!, replica.dpRanks[d]!, outcome, atNs);
    replica.release(step);
    experts.check();
    if (role === "decode")
      for (let d = 0; d < replica.dpRanks.length; d++) this.handover!.admit(replica.place.firstRank + d, atNs);
    this.stepsSinceToken = this.outputTokens > before ? 0 : this.stepsSinceToken + 1;
    holds(
      this.stepsSinceToken < stepsWithoutTokenMax,
      "progress",
      () => `${stepsWithoutTokenMax} steps without a token`,
    );
    this.wake(index, atNs);
  }

  /** A part of a prompt is computed in a pool that only prefills. */
  computed(request: number, done: number, atNs: number): void {
    this.handover!.computed(request, done, atNs);
  }

  /** The last token of a request is emitted. */
  complete(request: number, dpRank: DpRank, atNs: number): void {
    const { state } = this;
    state.status[request] = requestStatus.completed;
    this.completed++;
    this.runningCount--;
    dpRank.kv.release(request);
    dpRank.outstandingTokens -= this.loadOf(request, state.dpRank[request]!);
    checkRequest(state, request, this.laws);
    if (this.config.workload.kind === "closed") this.sendNext(atNs);
  }

  /** The result so far; `interrupted` says that requests were left unfinished on purpose. */
  result(interrupted = false): RunResult {
    this.interrupted = interrupted;
    this.runner.finish();
    this.recordSpan(this.lastEventNs);
    checkFinal(this);
    return buildResult(this);
  }

  get devices(): number {
    return this.pools.reduce((sum, { config }) => sum + devicesOf(config.mapping) * config.replicas, 0);
  }
}
