import { holds } from "../core/errors.ts";
import { EventQueue } from "../core/event-queue.ts";
import { LogHistogram } from "../core/histogram.ts";
import { CostModel } from "../hardware/cost.ts";
import type { Router, RouterView } from "../policy/router/router.ts";
import type { SimConfig } from "./config.ts";
import { DpRank } from "./dp-rank.ts";
import { FrontEnds } from "./front-end.ts";
import { devicesOf } from "./mapping.ts";
import { KvBlocks } from "./memory/kv-blocks.ts";
import { planMemory } from "./memory/memory-plan.ts";
import { prefixUnits } from "./memory/prefix-units.ts";
import { LawCounter } from "./outcome/law-counter.ts";
import { checkFinal, checkRequest } from "./outcome/laws.ts";
import { buildResult } from "./outcome/run-result.ts";
import type { RunView } from "./outcome/run-view.ts";
import { SeriesRecorder } from "./outcome/series.ts";
import { Replica, type StepInFlight } from "./replica.ts";
import { RequestIntake } from "./request-intake.ts";
import { RequestState } from "./request-state.ts";
import { type RunResult, requestStatus, timeComponents } from "./result.ts";
import { rankView, replicaView } from "./router-views.ts";
import { buildExperts, type Experts } from "./routing/experts.ts";
import { Speculation } from "./speculation.ts";
import { buildDraftCost, type DraftCost } from "./step/draft-cost.ts";
import { stagePlans } from "./step/stage-plan.ts";
import { StepCost } from "./step/step-cost.ts";

const eventKind = { arrival: 0, turn: 1, handOver: 2, stepDone: 3, start: 4 } as const;
const draftComponent = timeComponents.indexOf("draft");
/** At one instant: arrivals first, then finished steps, then new steps, so that a step sees all that has happened. */
const eventPriority = { arrival: 0, stepDone: 1, start: 2 } as const;
const stepsWithoutTokenMax = 1_000_000;

/**
 * One run of the simulator. A request arrives, is routed to a replica, tokenised by a front end and handed to a
 * data-parallel rank. Each replica repeats: form a step from its ranks, look up the routed experts of every token, time
 * the layers, emit tokens at the end of the step. `advance` runs a number of steps, so that a caller can stop between
 * them; `result` may be asked for at any time.
 */
export class Simulation implements RunView {
  readonly config: SimConfig;
  readonly state: RequestState;
  readonly replicas: readonly Replica[];
  readonly dpRanks: readonly DpRank[];
  readonly cost: StepCost;
  /** null where drafts take no device time. */
  readonly draft: DraftCost | null;
  readonly speculation: Speculation | null;
  readonly experts: Experts;
  readonly memory: ReturnType<typeof planMemory>;
  readonly itl = new LogHistogram();
  readonly series = new SeriesRecorder();
  readonly laws = new LawCounter();
  steps = 0;
  completed = 0;
  rejected = 0;
  outputTokens = 0;
  promptTokensComputed = 0;
  interrupted = false;
  private readonly queue = new EventQueue(256);
  /** Chooses a replica. */
  private readonly router: Router;
  private readonly view: RouterView;
  /** Of each replica, chooses a data-parallel rank. */
  private readonly rankRouters: readonly Router[];
  private readonly rankViews: readonly RouterView[];
  private nextRequest = 0;
  private lastEventNs = 0;
  private tokensSinceEvent = 0;
  /** Requests that wait for their turn in a front end or for a step. */
  private waitingCount = 0;
  private runningCount = 0;
  private stepsSinceToken = 0;

  private readonly onStep: ((ns: number) => void) | undefined;

  constructor(config: SimConfig, onStep?: (ns: number) => void) {
    this.config = config;
    this.onStep = onStep;
    const { mapping, workload, scheduler, engine } = config;
    const { requests } = workload;
    this.state = new RequestState(requests);
    const operations = new CostModel(config.node.device, config.node, config.engine.id);
    this.cost = new StepCost(config, operations);
    this.draft = buildDraftCost(config, operations, this.cost.windows);
    this.speculation = config.speculation === null ? null : new Speculation(config.speculation, config.seed);
    this.memory = planMemory(config, this.cost.attention, this.draft?.layers.attention ?? []);
    const plans = stagePlans(config.model, mapping.pp);
    const prefix =
      scheduler.prefixCaching && requests.prefix !== null ? prefixUnits(requests.prefix, scheduler.blockTokens) : null;
    this.dpRanks = Array.from({ length: config.replicas * mapping.dp }, () => {
      const kv = new KvBlocks(this.memory.kv, requests.count, prefix);
      const { windows } = this.cost;
      return new DpRank(
        this.state,
        kv,
        { ...scheduler, prefixCaching: prefix !== null },
        {
          mixesPrefillWithDecode: engine.mixesPrefillWithDecode,
          windows,
          draftTokens: config.speculation?.draftTokens ?? 0,
        },
      );
    });
    this.replicas = Array.from(
      { length: config.replicas },
      (_, r) =>
        new Replica(
          plans,
          this.dpRanks.slice(r * mapping.dp, (r + 1) * mapping.dp),
          new FrontEnds(config.frontEnds),
          new RequestIntake(scheduler.recvInterval, engine.schedulesAhead),
        ),
    );
    if (config.readyNs > 0) this.startLater(config.readyNs);
    this.experts = buildExperts(config, this.memory);
    this.rankRouters = this.replicas.map(() => config.router.create(mapping.dp));
    this.rankViews = this.replicas.map(({ dpRanks }) => rankView(dpRanks, this.state, scheduler.prefixCaching));
    this.router = config.router.create(config.replicas);
    this.view = replicaView(this.replicas, this.rankViews);
    this.openWorkload();
  }

  get nowNs(): number {
    return this.lastEventNs;
  }

  /** Replicas that load begin their first step when they are ready. */
  private startLater(readyNs: number): void {
    for (const [index, replica] of this.replicas.entries()) {
      replica.stageFreeNs.fill(readyNs);
      replica.startPending = true;
      this.queue.push(readyNs, eventPriority.start, eventKind.start, index);
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
      // An arrival that is served at once changes nothing that a series shows.
      if (queue.kind === eventKind.arrival) this.arrive(queue.payload, queue.atNs);
      else {
        this.recordSpan(queue.atNs);
        if (queue.kind === eventKind.turn) this.waitingCount--;
        else if (queue.kind === eventKind.handOver) this.handOver(queue.payload, queue.atNs);
        else if (queue.kind === eventKind.stepDone) this.finishStep(queue.payload, queue.atNs);
        else this.startSteps(this.replicas[queue.payload]!, queue.payload, queue.atNs);
      }
    }
    return queue.size === 0;
  }

  private recordSpan(atNs: number): void {
    holds(atNs >= this.lastEventNs, "clock-monotone", () => `${atNs} after ${this.lastEventNs}`);
    if (atNs === this.lastEventNs && this.tokensSinceEvent === 0) return;
    this.series.add(this.lastEventNs, atNs, this.waitingCount, this.runningCount, this.kvUse(), this.tokensSinceEvent);
    this.tokensSinceEvent = 0;
    this.lastEventNs = atNs;
  }

  /** Share in use of the fullest pool, over all data-parallel ranks. */
  private kvUse(): number {
    const { dpRanks } = this;
    const { main, apart } = this.memory.kv;
    let used = 0;
    for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.main.used;
    let fullest = used / (dpRanks.length * main.capacity);
    for (let p = 0; p < apart.length; p++) {
      used = 0;
      for (let d = 0; d < dpRanks.length; d++) used += dpRanks[d]!.kv.pools[p + 1]!.used;
      fullest = Math.max(fullest, used / (dpRanks.length * apart[p]!.capacity));
    }
    return fullest;
  }

  /** A request reaches the router: a replica is chosen, and its front ends take the request in. */
  private arrive(request: number, atNs: number): void {
    const { state, config, queue } = this;
    const { requestOverheadNs, promptTokenOverheadNs, promptTokenDelayNs } = config.engine;
    const replica = this.router.choose(request, this.view);
    holds(replica >= 0 && replica < config.replicas, "router-target", () => `replica ${replica}`);
    state.dpRank[request] = replica * config.mapping.dp;
    state.status[request] = requestStatus.waiting;
    const prompt = state.promptTokens[request]!;
    const { frontEnds } = this.replicas[replica]!;
    const servedNs = frontEnds.accept(
      atNs,
      Math.round(promptTokenOverheadNs * prompt),
      prompt + state.outputTokens[request]!,
    );
    if (frontEnds.turnNs > atNs) {
      this.recordSpan(atNs);
      this.waitingCount++;
      queue.push(frontEnds.turnNs, eventPriority.arrival, eventKind.turn, request);
    }
    const handlingNs = Math.round(requestOverheadNs + promptTokenDelayNs * prompt);
    queue.push(servedNs + handlingNs, eventPriority.arrival, eventKind.handOver, request);
    if (config.workload.kind === "closed") return;
    const next = request + 1;
    if (next < state.count) queue.push(state.arrivalNs[next]!, eventPriority.arrival, eventKind.arrival, next);
  }

  /** A tokenised request reaches its replica. The scheduler takes it over at once if it is idle, else when it looks. */
  private handOver(request: number, atNs: number): void {
    const replica = this.replicas[Math.floor(this.state.dpRank[request]! / this.config.mapping.dp)]!;
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
    const { state, config } = this;
    const { dp } = config.mapping;
    const tokens = state.promptTokens[request]! + state.outputTokens[request]!;
    const replica = Math.floor(state.dpRank[request]! / dp);
    this.replicas[replica]!.frontEnds.handOver(tokens);
    const rank = this.rankRouters[replica]!.choose(request, this.rankViews[replica]!);
    holds(rank >= 0 && rank < dp, "router-target", () => `rank ${rank}`);
    const target = replica * dp + rank;
    const dpRank = this.dpRanks[target]!;
    state.dpRank[request] = target;
    // The last token is emitted, never cached: a request alone needs room for all others.
    if (tokens > config.scheduler.contextTokensMax || tokens - 1 > dpRank.kv.layout.sequenceTokensMax) {
      state.status[request] = requestStatus.rejected;
      this.rejected++;
      if (config.workload.kind === "closed") this.sendNext(atNs);
      return;
    }
    dpRank.outstandingTokens += tokens;
    dpRank.enqueue(request);
    this.waitingCount++;
    this.wake(replica, atNs);
  }

  private wake(replica: number, atNs: number): void {
    const target = this.replicas[replica]!;
    if (target.startPending || !target.canStart(atNs)) return;
    target.startPending = true;
    this.queue.push(atNs, eventPriority.start, eventKind.start, replica);
  }

  private startSteps(replica: Replica, index: number, atNs: number): void {
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
    const endNs = this.time(index, step, atNs);
    this.onStep?.(endNs - atNs);
    this.markScheduled(step, atNs);
    this.queue.push(endNs, eventPriority.stepDone, eventKind.stepDone, index * replica.inFlight.length + step.index);
    intake.countStep(step.batches.some((batch) => batch.prefillTokens > 0));
    if (intake.ahead && intake.due()) this.look(replica, atNs);
    // With pipeline stages, the next step may enter when the first stage is free.
    if (replica.inFlight.length > 1) {
      replica.startPending = true;
      this.queue.push(replica.stageFreeNs[0]!, eventPriority.start, eventKind.start, index);
    }
  }

  private form(replica: Replica): StepInFlight | null {
    const before = replica.runningCount();
    const step = replica.form();
    this.runningCount += replica.runningCount() - before;
    this.waitingCount -= replica.runningCount() - before;
    return step;
  }

  /** Times a formed step through all stages, each rounded to whole ns; returns its end. */
  private time(index: number, step: StepInFlight, atNs: number): number {
    const { experts, cost, state } = this;
    const replica = this.replicas[index]!;
    experts.look(index, step, state.computed, atNs);
    let sequences = 0;
    let promptTokens = 0;
    let tokens = 0;
    for (const part of step.parts) sequences = Math.max(sequences, part.count);
    for (const batch of step.batches) {
      promptTokens += batch.prefillTokens;
      tokens += batch.tokens;
    }
    let at = atNs;
    let stagesNs = 0;
    for (let s = 0; s < replica.plans.length; s++) {
      const plan = replica.plans[s]!;
      const last = s === replica.plans.length - 1;
      const begin = Math.max(at, replica.stageFreeNs[s]!);
      let ns = cost.stageNs(plan, begin, step.batches, experts.sources[index]!, last);
      if (last && this.draft !== null) {
        const draftNs = this.draft.ns(step.batches, step.drafts);
        cost.components[draftComponent]! += draftNs;
        ns += draftNs;
      }
      if (last) ns += cost.hostNs(sequences, promptTokens > 0);
      ns = Math.max(1, Math.round(ns));
      replica.stageFreeNs[s] = begin + ns;
      stagesNs += ns;
      at = begin + ns;
      if (!last) at += Math.round(cost.handoffNs(step.batches, s));
    }
    replica.busyNs += stagesNs;
    replica.promptTime.add(stagesNs, promptTokens, tokens - promptTokens);
    return at;
  }

  private markScheduled(step: StepInFlight, atNs: number): void {
    const { scheduledNs } = this.state;
    for (const part of step.parts) {
      for (let i = 0; i < part.count; i++) {
        const request = part.requests[i]!;
        if (Number.isNaN(scheduledNs[request]!)) scheduledNs[request] = atNs;
      }
    }
  }

  private finishStep(payload: number, atNs: number): void {
    const stages = this.config.mapping.pp;
    const index = Math.floor(payload / stages);
    const replica = this.replicas[index]!;
    const step = replica.inFlight[payload % stages]!;
    const before = this.outputTokens;
    for (let d = 0; d < step.parts.length; d++) this.finishDpRank(step, d, replica, atNs);
    replica.release(step);
    this.experts.check();
    this.stepsSinceToken = this.outputTokens > before ? 0 : this.stepsSinceToken + 1;
    holds(
      this.stepsSinceToken < stepsWithoutTokenMax,
      "progress",
      () => `${stepsWithoutTokenMax} steps without a token`,
    );
    this.wake(index, atNs);
  }

  private finishDpRank(step: StepInFlight, d: number, replica: Replica, atNs: number): void {
    const { state, itl } = this;
    const dpRank = replica.dpRanks[d]!;
    const part = step.parts[d]!;
    let finished = 0;
    let gapNs = -1;
    let gaps = 0;
    for (let i = 0; i < part.count; i++) {
      const request = part.requests[i]!;
      const tokens = part.tokens[i]!;
      state.inStep[request] = 0;
      const before = state.computed[request]!;
      const done = before + tokens;
      state.computed[request] = done;
      const prompt = state.promptTokens[request]!;
      if (before < prompt) {
        // A recomputed request's chunk may go past its prompt.
        this.promptTokensComputed += Math.min(done, prompt) - before;
        if (this.config.scheduler.prefixCaching) dpRank.kv.publish(request, done, prompt);
      }
      const drafts = done - state.known(request);
      if (drafts < 0) continue;
      const emitted = drafts === 0 ? 1 : this.verify(request, drafts);
      const generated = state.generated[request]! + emitted;
      state.generated[request] = generated;
      this.outputTokens += emitted;
      this.tokensSinceEvent += emitted;
      if (generated === 1) state.firstTokenNs[request] = atNs;
      else if (request >= this.config.warmupRequests) {
        // Sequences that decode together share a gap: count runs of equal gaps once. Tokens of one step share its gap.
        const stepGap = atNs - state.lastTokenNs[request]!;
        const gap = emitted === 1 ? stepGap : stepGap / emitted;
        if (gap !== gapNs) {
          if (gaps > 0) itl.record(gapNs, gaps);
          gapNs = gap;
          gaps = 0;
        }
        gaps += emitted;
      }
      state.lastTokenNs[request] = atNs;
      if (generated === state.outputTokens[request]!) {
        this.complete(request, dpRank, atNs);
        finished++;
      }
    }
    if (gaps > 0) itl.record(gapNs, gaps);
    if (finished > 0) dpRank.compact();
    dpRank.kv.check();
    this.laws.count("kv-block-conservation");
  }

  /** Tokens that a sequence emits after verifying `drafts` draft tokens; only their keys and values stay. */
  private verify(request: number, drafts: number): number {
    const { state } = this;
    const generated = state.generated[request]!;
    const accepted = this.speculation!.verify(request, generated, drafts);
    const emitted = Math.min(1 + accepted, state.outputTokens[request]! - generated);
    state.computed[request]! -= 1 + drafts - emitted;
    return emitted;
  }

  private complete(request: number, dpRank: DpRank, atNs: number): void {
    const { state } = this;
    state.status[request] = requestStatus.completed;
    this.completed++;
    this.runningCount--;
    dpRank.kv.release(request);
    dpRank.outstandingTokens -= state.promptTokens[request]! + state.outputTokens[request]!;
    checkRequest(state, request, this.laws);
    if (this.config.workload.kind === "closed") this.sendNext(atNs);
  }

  /** The result so far; `interrupted` says that requests were left unfinished on purpose. */
  result(interrupted = false): RunResult {
    this.interrupted = interrupted;
    this.recordSpan(this.lastEventNs);
    checkFinal(this);
    return buildResult(this);
  }

  get devices(): number {
    return devicesOf(this.config.mapping) * this.config.replicas;
  }
}
