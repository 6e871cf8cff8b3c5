import { holds } from "../../core/errors.ts";
import { Resource } from "../../core/resource.ts";
import type { HandoverConfig } from "../config.ts";
import type { DpRank } from "../dp-rank.ts";
import type { RequestState } from "../request-state.ts";
import { busyNs, type KvPath, latencyNs } from "./kv-path.ts";
import { Shipments } from "./shipments.ts";

/** What a hand-over asks of the run around it. */
export interface HandoverHost {
  readonly dpRanks: readonly DpRank[];
  /** The way between two data-parallel ranks. */
  path(from: number, to: number): KvPath;
  /** The data-parallel rank of a decode pool that goes on with a request. */
  chooseTarget(request: number): number;
  /** Tokens of load that a request is to a data-parallel rank. */
  loadOf(request: number, rank: number): number;
  /** Gives the request to the front ends of a decode pool; returns when its scheduler sees it, ns. */
  hear(request: number, rank: number, atNs: number): number;
  askLater(atNs: number, request: number): void;
  /** The receiving side of shipment `shipment` begins at `atNs`; or all of it has arrived. */
  beginLater(atNs: number, shipment: number): void;
  arriveLater(atNs: number, request: number): void;
  /** The prompt may be computed. */
  prefill(request: number, atNs: number): void;
  /** A request runs on the data-parallel rank, or has left it. */
  joined(request: number, atNs: number): void;
  left(rank: number, atNs: number): void;
}

/** Requests between pools: room set aside, KV cache on its way, arrival. */
export class Handover {
  readonly config: HandoverConfig;
  /**
   * [requests] when a decode pool was asked for room, had it, when the prompt was computed, when its KV cache had
   * arrived, ns.
   */
  readonly askedNs: Float64Array;
  readonly reservedNs: Float64Array;
  readonly computedNs: Float64Array;
  readonly arrivedNs: Float64Array;
  /** [requests] when its first step in the decode pool began, ns. */
  readonly decodedNs: Float64Array;
  /** [data-parallel ranks] links of their devices, those that send and those that receive. */
  readonly sending: readonly Resource[];
  readonly receiving: readonly Resource[];
  /** Requests in the front ends of decode pools. */
  hearing = 0;
  /**
   * Bytes of the KV caches that arrived: on all devices, and on the busiest one of each rank that sent and that
   * received.
   */
  bytes = 0;
  sentBytes = 0;
  receivedBytes = 0;
  private readonly state: RequestState;
  private readonly host: HandoverHost;
  /** [requests] data-parallel rank that goes on with it. */
  private readonly target: Int32Array;
  /** [requests] prompt tokens sent or being sent, and shipments on their way. */
  private readonly sentTokens: Uint32Array;
  private readonly pending: Uint16Array;
  /** [requests] time to send the last layer of its last shipment, ns. */
  private readonly layerNs: Float64Array;
  private readonly shipments = new Shipments();

  constructor(config: HandoverConfig, state: RequestState, host: HandoverHost) {
    const n = state.count;
    this.config = config;
    this.state = state;
    this.host = host;
    const times = () => new Float64Array(n).fill(Number.NaN);
    this.askedNs = times();
    this.reservedNs = times();
    this.computedNs = times();
    this.arrivedNs = times();
    this.decodedNs = times();
    this.target = new Int32Array(n).fill(-1);
    this.sentTokens = new Uint32Array(n);
    this.pending = new Uint16Array(n);
    this.layerNs = new Float64Array(n);
    this.sending = host.dpRanks.map(() => new Resource());
    this.receiving = host.dpRanks.map(() => new Resource());
  }

  /** The data-parallel rank of a decode pool that goes on with a request. */
  targetOf(request: number): number {
    return this.target[request]!;
  }

  /** A request is given to a data-parallel rank of a pool that prefills: whether its prompt has to wait for room. */
  waitsForRoom(request: number, atNs: number): boolean {
    const { reserves, firstToken } = this.config;
    const ends = firstToken === "prefill" && this.state.outputTokens[request] === 1;
    if (reserves !== "beforePrefill" || ends) return false;
    this.target[request] = this.host.chooseTarget(request);
    this.ask(request, atNs);
    return true;
  }

  /** A step begins that computes the prompt up to `done` tokens: its layers are sent one by one as they are computed. */
  started(request: number, done: number, atNs: number): void {
    if (this.config.transfer !== "layers" || this.target[request]! < 0) return;
    this.ship(request, Math.min(done, this.state.promptTokens[request]!), atNs);
  }

  /** A step ends that computed the prompt up to `done` tokens. */
  computed(request: number, done: number, atNs: number): void {
    const { state, config, host } = this;
    const prompt = state.promptTokens[request]!;
    if (state.leaving[request] === 0) {
      if (config.transfer === "chunk" && this.target[request]! >= 0 && done < prompt) this.ship(request, done, atNs);
      return;
    }
    const from = state.dpRank[request]!;
    this.computedNs[request] = atNs;
    host.dpRanks[from]!.leaving++;
    if (config.reserves === "afterPrefill") {
      const target = host.chooseTarget(request);
      this.target[request] = target;
      if (config.tokenisesAgain) {
        this.hearing++;
        host.askLater(host.hear(request, target, atNs), request);
      } else this.ask(request, atNs);
    } else if (config.transfer === "layers") {
      // The last layer is sent when it is computed, whatever the link did before.
      this.pending[request]!++;
      const { links } = host.path(from, this.target[request]!);
      host.arriveLater(Math.ceil(atNs + this.layerNs[request]! + latencyNs(links)), request);
    } else this.ship(request, prompt, atNs);
  }

  /** Gives room of a data-parallel rank to the requests that wait for it, in their order. */
  admit(rank: number, atNs: number): void {
    const { state, config } = this;
    const dpRank = this.host.dpRanks[rank]!;
    while (dpRank.arriving.size > 0) {
      const request = dpRank.arriving.peek();
      const prompt = state.promptTokens[request]!;
      if (!dpRank.reserve(request, prompt, config.reservedOutputTokens)) return;
      dpRank.arriving.popFront();
      this.reservedNs[request] = atNs;
      if (config.reserves === "afterPrefill") this.ship(request, prompt, atNs);
      else this.host.prefill(request, atNs);
    }
  }

  /** A shipment begins on the receiving side. */
  begin(shipment: number, atNs: number): void {
    const { shipments } = this;
    const request = shipments.request[shipment]!;
    const path = this.host.path(this.state.dpRank[request]!, this.target[request]!);
    const { receiveNs, receiveBytes, sentNs } = shipments;
    const receivedNs = this.receiving[this.target[request]!]!.demand(
      atNs,
      receiveNs[shipment]!,
      receiveBytes[shipment]!,
    );
    const endNs = Math.max(sentNs[shipment]!, receivedNs) + latencyNs(path.links);
    shipments.release(shipment);
    this.host.arriveLater(Math.ceil(endNs), request);
  }

  /** A shipment has arrived; with the last one the request changes over. */
  arrive(request: number, atNs: number): void {
    const { state, host } = this;
    this.pending[request]!--;
    if (this.pending[request]! > 0 || state.leaving[request] === 0) return;
    const from = state.dpRank[request]!;
    const to = this.target[request]!;
    holds(
      this.sentTokens[request] === state.promptTokens[request],
      "handover-conservation",
      () => `request ${request}: ${this.sentTokens[request]} of ${state.promptTokens[request]} prompt tokens sent`,
    );
    const prompt = state.promptTokens[request]!;
    const path = host.path(from, to);
    this.bytes += path.transfer.totalBytes(prompt);
    this.sentBytes += path.transfer.sentBytes(prompt);
    this.receivedBytes += path.transfer.receivedBytes(prompt);
    this.arrivedNs[request] = atNs;
    const sender = host.dpRanks[from]!;
    sender.kv.release(request);
    sender.leaving--;
    sender.outstandingTokens -= host.loadOf(request, from);
    state.leaving[request] = 0;
    state.dpRank[request] = to;
    state.again[request] = this.config.firstToken === "decodeStep" ? 1 : 0;
    state.computed[request] = state.promptTokens[request]! - state.again[request]!;
    host.dpRanks[to]!.join(request, this.config.reservedOutputTokens);
    host.joined(request, atNs);
    host.left(from, atNs);
  }

  /** A step of a decode pool that holds the request begins. */
  scheduled(request: number, atNs: number): void {
    if (Number.isNaN(this.decodedNs[request]!)) this.decodedNs[request] = atNs;
  }

  /** The scheduler of a decode pool sees a request that its front ends were given. */
  heard(request: number, atNs: number): void {
    this.hearing--;
    this.ask(request, atNs);
  }

  /** A decode pool is asked for room. */
  private ask(request: number, atNs: number): void {
    const target = this.target[request]!;
    const dpRank = this.host.dpRanks[target]!;
    this.askedNs[request] = atNs;
    dpRank.outstandingTokens += this.host.loadOf(request, target);
    dpRank.arriving.pushBack(request);
    this.admit(target, atNs);
  }

  /** Sends what is computed of the first `tokens` prompt tokens and not sent yet. */
  private ship(request: number, tokens: number, atNs: number): void {
    const { state, shipments } = this;
    const before = this.sentTokens[request]!;
    if (tokens <= before) return;
    const from = state.dpRank[request]!;
    const path = this.host.path(from, this.target[request]!);
    const { transfer, links } = path;
    const bytes = transfer.sentBytes(tokens) - transfer.sentBytes(before);
    const sendNs = busyNs(links.sending, bytes);
    const link = this.sending[from]!;
    const beginNs = Math.ceil(link.beginNs(atNs));
    const shipment = shipments.add(request);
    const received = transfer.receivedBytes(tokens) - transfer.receivedBytes(before);
    shipments.receiveBytes[shipment] = received;
    shipments.receiveNs[shipment] = busyNs(links.receiving, received);
    shipments.sentNs[shipment] = link.demand(atNs, sendNs, bytes);
    this.sentTokens[request] = tokens;
    this.layerNs[request] = sendNs / path.layers;
    this.pending[request]!++;
    this.host.beginLater(beginNs, shipment);
  }
}
