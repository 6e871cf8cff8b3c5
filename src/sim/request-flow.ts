import type { EventQueue } from "../core/event-queue.ts";
import { poolsOf, type SimConfig } from "./config.ts";
import type { Deployment } from "./deployment.ts";
import { eventKind, eventPriority } from "./events.ts";
import { Handover } from "./handover/handover.ts";
import { HandoverPaths } from "./handover/handover-paths.ts";
import { layOutPools } from "./pool-layout.ts";
import type { Replica } from "./replica.ts";
import type { RequestState } from "./request-state.ts";
import { requestStatus } from "./result.ts";
import { TurnQueue } from "./turn-queue.ts";

/** What the flow of requests asks of the run around it. */
export interface FlowHost {
  /** A replica has something new to do. */
  wake(replica: number, atNs: number): void;
  /** A request waits for the scheduler of a replica to look, which may have to be told when it can. */
  waits(replica: Replica, atNs: number): void;
  /** A request goes on in a decode pool. */
  joined(request: number, atNs: number): void;
  /** A request that will be served has reached the scheduler of its model, which may have to be loaded. */
  reached(replica: number, atNs: number): void;
  /** What a series shows is about to change. */
  recordSpan(atNs: number): void;
}

/** The way of requests: from their arrival through router and front end to a data-parallel rank, and from pool to pool. */
export class RequestFlow {
  rejected = 0;
  /** Requests that wait for their turn in a front end or for a step. */
  waiting = 0;
  /** null where every pool serves its requests alone. */
  readonly handover: Handover | null;
  private readonly config: SimConfig;
  private readonly state: RequestState;
  private readonly deployment: Deployment;
  private readonly queue: EventQueue;
  private readonly host: FlowHost;
  /** Requests that wait for others; null where none does. */
  private readonly turns: TurnQueue | null;
  private nextRequest = 0;

  constructor(config: SimConfig, state: RequestState, deployment: Deployment, queue: EventQueue, host: FlowHost) {
    this.config = config;
    this.state = state;
    this.deployment = deployment;
    this.queue = queue;
    this.host = host;
    const { workload } = config;
    const { turns } = workload.requests;
    this.turns = workload.kind === "open" && turns !== undefined ? new TurnQueue(turns, state.arrivalNs) : null;
    this.handover = config.handover === undefined ? null : this.handoverOf(config.handover);
  }

  private handoverOf(config: NonNullable<SimConfig["handover"]>): Handover {
    const { deployment, queue, host } = this;
    const paths = new HandoverPaths(deployment.pools, layOutPools(poolsOf(this.config)));
    return new Handover(config, this.state, {
      dpRanks: deployment.dpRanks,
      path: (from, to) => paths.between(deployment.replicaOf(from), deployment.replicaOf(to)),
      chooseTarget: (request) => this.decodeRank(request),
      loadOf: (request, rank) => deployment.loadOf(request, rank),
      hear: (request, rank, atNs) => this.takeIn(request, deployment.replicas[deployment.replicaOf(rank)]!, atNs),
      askLater: (atNs, request) => queue.push(atNs, eventPriority.arrival, eventKind.kvAsks, request),
      beginLater: (atNs, shipment) => queue.push(atNs, eventPriority.arrival, eventKind.kvBegins, shipment),
      arriveLater: (atNs, request) => queue.push(atNs, eventPriority.arrival, eventKind.kvArrives, request),
      prefill: (request, atNs) => this.enqueue(request, atNs),
      joined: (request, atNs) => host.joined(request, atNs),
      left: (rank, atNs) => host.wake(deployment.replicaOf(rank), atNs),
    });
  }

  /** A data-parallel rank of a decode pool that goes on with a request. */
  private decodeRank(request: number): number {
    const { deployment } = this;
    const replica = deployment.decode!.choose(request);
    deployment.watch(request, replica);
    return deployment.chooseRank(request, replica);
  }

  open(): void {
    const { workload } = this.config;
    if (workload.requests.count === 0) return;
    if (workload.kind === "open") {
      this.announce(0);
      return;
    }
    const clients = Math.min(workload.concurrency, workload.requests.count);
    for (let client = 0; client < clients; client++) this.sendNext(0);
  }

  /** The first request from `next` on that waits for no other is going to arrive. */
  private announce(next: number): void {
    let request = next;
    while (request < this.state.count && this.turns?.waits(request) === true) request++;
    if (request < this.state.count)
      this.queue.push(this.state.arrivalNs[request]!, eventPriority.arrival, eventKind.arrival, request);
  }

  /** A request is over. In a closed loop its client sends the next one; those that waited for it alone arrive. */
  over(request: number, atNs: number): void {
    if (this.config.workload.kind === "closed") this.sendNext(atNs);
    this.turns?.over(request, atNs, (next, arrivalNs) => {
      this.state.arrivalNs[next] = arrivalNs;
      this.queue.push(arrivalNs, eventPriority.arrival, eventKind.arrival, next);
    });
  }

  private sendNext(atNs: number): void {
    if (this.nextRequest >= this.state.count) return;
    const request = this.nextRequest++;
    this.state.arrivalNs[request] = atNs;
    this.queue.push(atNs, eventPriority.arrival, eventKind.arrival, request);
  }

  /** A request reaches the router: a replica is chosen, and its front ends take the request in. */
  arrive(request: number, atNs: number): void {
    const { state, config, deployment } = this;
    const { handover, workload } = config;
    const local = handover !== undefined && state.promptTokens[request]! <= handover.localPromptTokens;
    const replica = deployment.modelReplica(request) ?? (local ? deployment.decode! : deployment.entry).choose(request);
    this.giveTo(request, replica, atNs);
    if (workload.kind === "open" && this.turns?.waits(request) !== true) this.announce(request + 1);
  }

  /** A request that another model has read goes to the one that serves it. */
  goOn(request: number, atNs: number): void {
    const { state, deployment } = this;
    state.leaving[request] = 0;
    // What the first model found of the prompt is nothing that this one has.
    state.cachedTokens[request] = 0;
    this.giveTo(request, deployment.servingReplica(request), atNs);
  }

  private giveTo(request: number, replica: Replica, atNs: number): void {
    const { state, queue } = this;
    state.dpRank[request] = replica.place.firstRank;
    state.status[request] = requestStatus.waiting;
    this.deployment.watch(request, replica);
    const seenNs = this.takeIn(request, replica, atNs);
    const { turnNs } = replica.frontEnds;
    if (turnNs > atNs) {
      this.host.recordSpan(atNs);
      this.waiting++;
      queue.push(turnNs, eventPriority.arrival, eventKind.turn, request);
    }
    queue.push(seenNs, eventPriority.arrival, eventKind.tokenised, request);
  }

  /** The front ends of a replica take a request in; returns when the scheduler sees it, ns. */
  private takeIn(request: number, replica: Replica, atNs: number): number {
    const { promptTokens, outputTokens } = this.state;
    const { requestOverheadNs, promptTokenOverheadNs, promptTokenDelayNs } =
      this.deployment.poolOf(replica).config.engine;
    const prompt = promptTokens[request]!;
    const tokens = prompt + outputTokens[request]!;
    const servedNs = replica.frontEnds.accept(atNs, Math.round(promptTokenOverheadNs * prompt), tokens);
    return servedNs + Math.round(requestOverheadNs + promptTokenDelayNs * prompt);
  }

  /** A tokenised request reaches its replica. The scheduler takes it over at once if it is idle, else when it looks. */
  tokenised(request: number, atNs: number): void {
    const { deployment } = this;
    const replica = deployment.replicaWith(request);
    const pool = deployment.poolOf(replica);
    if (pool.role !== "router" && deployment.fits(request, pool)) this.host.reached(replica.place.index, atNs);
    if (replica.intake.open || (replica.intake.size === 0 && replica.idle(atNs))) {
      this.takeOver(request, atNs);
      return;
    }
    replica.intake.push(request);
    this.waiting++;
    this.host.waits(replica, atNs);
  }

  /** The scheduler of a replica takes over all requests that it finds. */
  look(replica: Replica, atNs: number): void {
    for (const request of replica.intake.take()) {
      this.waiting--;
      this.takeOver(request, atNs);
    }
  }

  /** The scheduler of a replica takes a request over: a data-parallel rank is chosen, and it waits there. */
  private takeOver(request: number, atNs: number): void {
    const { state, handover, deployment } = this;
    const replica = deployment.replicaWith(request);
    replica.frontEnds.handOver(state.promptTokens[request]! + state.outputTokens[request]!);
    const pool = deployment.poolOf(replica);
    const rank = deployment.chooseRank(request, replica);
    state.dpRank[request] = rank;
    if (!deployment.fits(request, pool)) {
      state.status[request] = requestStatus.rejected;
      this.rejected++;
      this.over(request, atNs);
      return;
    }
    deployment.dpRanks[rank]!.outstandingTokens += deployment.loadOf(request, rank);
    this.waiting++;
    if (pool.role !== "prefill" || !handover!.waitsForRoom(request, atNs)) this.enqueue(request, atNs);
  }

  /** A request waits on its data-parallel rank for a step. */
  private enqueue(request: number, atNs: number): void {
    const rank = this.state.dpRank[request]!;
    this.deployment.dpRanks[rank]!.enqueue(request);
    this.host.wake(this.deployment.replicaOf(rank), atNs);
  }

  /** The scheduler of a decode pool sees a request whose prompt is computed. */
  askForRoom(request: number, atNs: number): void {
    const { promptTokens, outputTokens } = this.state;
    const { replicas } = this.deployment;
    const replica = replicas[this.deployment.replicaOf(this.handover!.targetOf(request))]!;
    replica.frontEnds.handOver(promptTokens[request]! + outputTokens[request]!);
    this.handover!.heard(request, atNs);
  }
}
