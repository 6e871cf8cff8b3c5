import { holds } from "../../core/errors.ts";
import { Resource } from "../../core/resource.ts";
import { LruRanking } from "../store/lru-ranking.ts";
import { TierStore } from "../store/tier-store.ts";
import type { ModelLoad } from "./model-loads.ts";

/** What the room asks of the run around it. */
export interface ModelRoomHost {
  /** Requests that a model has begun and not finished. */
  begun(model: number): number;
  /** Whether it may take on requests that wait. */
  admit(model: number, may: boolean): void;
  /** It may compute now. */
  ready(model: number, atNs: number): void;
  /** It has left the devices, with all that was in them. */
  left(model: number): void;
  loadedLater(model: number, atNs: number): void;
}

/**
 * Which models are in device memory. One that is asked for and is not there waits until those that asked before it are on their
 * way; then others leave for it: of those without work the one whose last step is longest ago. Where these are not enough, a model
 * at work *closes*: it takes on no more requests, finishes those in progress, and leaves. What has just been loaded steps once
 * before it may close, so two models that do not fit together both get on.
 */
export class ModelRoom {
  /** What all loads take: the link and the tiers behind it serve one model at a time. */
  readonly link = new Resource();
  loads = 0;
  /** [models] where each comes from. */
  readonly sources: readonly ModelLoad[];
  /** Models that may have something in their KV caches: those that stay, and those that are pinned for their work. */
  readonly atWork = new Set<number>();
  readonly #footprints: readonly number[];
  readonly #store: TierStore;
  readonly #ranking: LruRanking;
  readonly #kept: Uint8Array;
  /** [models] whether it is pinned for its work; whether it closes; whether it has not stepped since it was loaded. */
  readonly #held: Uint8Array;
  readonly #closing: Uint8Array;
  readonly #fresh: Uint8Array;
  /** Models that were asked for and are not there, in the order in which they were. */
  readonly #asked: number[] = [];
  /** Models on their way. */
  #arriving = 0;
  readonly #host: ModelRoomHost;

  /**
   * @param footprints [models] bytes of a device that each takes
   * @param sources [models] where each comes from
   * @param kept models that are there from the start and stay
   */
  constructor(
    footprints: readonly number[],
    sources: readonly ModelLoad[],
    capacityBytes: number,
    kept: readonly number[],
    host: ModelRoomHost,
  ) {
    const models = footprints.length;
    this.#footprints = footprints;
    this.sources = sources;
    this.#ranking = new LruRanking(models);
    this.#store = new TierStore(models, capacityBytes, this.#ranking);
    this.#kept = new Uint8Array(models);
    this.#held = new Uint8Array(models);
    this.#closing = new Uint8Array(models);
    this.#fresh = new Uint8Array(models);
    this.#host = host;
    for (const model of kept) {
      this.#kept[model] = 1;
      this.atWork.add(model);
      holds(this.#store.arrive(model, footprints[model]!, 0, 0), "model-room", () => `no room for kept model ${model}`);
      this.#store.pin(model);
    }
  }

  /** Whether a model is there and takes on requests. */
  has(model: number, atNs: number): boolean {
    return this.#store.at(model, atNs) === "resident" && this.#closing[model] === 0;
  }

  /** Whether a model is there and may step: one that closes only finishes what it has. */
  canStep(model: number, atNs: number): boolean {
    return this.#store.at(model, atNs) === "resident" && (this.#closing[model] === 0 || this.#host.begun(model) > 0);
  }

  /** Whether anybody waits for a model that is not there. */
  get awaited(): boolean {
    return this.#arriving > 0 || this.#asked.length > 0;
  }

  get evictions(): number {
    return this.#store.evictions;
  }

  /** A model that may not step is asked for. */
  ask(model: number, atNs: number): void {
    if (this.#store.at(model, atNs) === "arriving" || this.#asked.includes(model)) return;
    this.#asked.push(model);
    this.#settle(atNs);
  }

  /** A model that is there has work: it stays until it is idle or closes. */
  hold(model: number): void {
    if (this.#kept[model] === 1 || this.#held[model] === 1) return;
    this.#held[model] = 1;
    this.atWork.add(model);
    this.#store.pin(model);
  }

  /** A model on its way is there. */
  loaded(model: number, atNs: number): void {
    this.#arriving--;
    this.#host.ready(model, atNs);
    this.#settle(atNs);
  }

  /** A model steps. */
  steps(model: number, atNs: number): void {
    this.#store.use(model);
    if (this.#fresh[model] === 0) return;
    this.#fresh[model] = 0;
    this.#settle(atNs);
  }

  /** A model has nothing in progress. */
  idle(model: number, atNs: number): void {
    this.#letGo(model);
    this.#settle(atNs);
  }

  #letGo(model: number): void {
    if (this.#held[model] === 0) return;
    this.#held[model] = 0;
    this.atWork.delete(model);
    this.#store.unpin(model);
  }

  /** Makes room for the models that were asked for, in their order. */
  #settle(atNs: number): void {
    while (this.#asked.length > 0) {
      const model = this.#asked[0]!;
      if (this.#store.at(model, atNs) !== "absent") {
        // It closed, and is asked for again before anybody needed its room.
        this.#asked.shift();
        this.#open(model);
        this.#host.ready(model, atNs);
      } else if (this.#bring(model, atNs)) this.#asked.shift();
      else if (!this.#close(this.#footprints[model]!, atNs)) return;
    }
  }

  /** A model that is not there begins to arrive, if there is room: those that leave for it are told. */
  #bring(model: number, atNs: number): boolean {
    const before = this.#residents(atNs);
    if (!this.#store.arrive(model, this.#footprints[model]!, atNs, Number.POSITIVE_INFINITY)) return false;
    const { ns, bytes } = this.sources[model]!;
    const endNs = Math.ceil(this.link.demand(atNs, ns, bytes));
    this.#store.ends(model, endNs);
    this.loads++;
    this.#arriving++;
    this.#fresh[model] = 1;
    this.hold(model);
    this.#host.loadedLater(model, endNs);
    for (const other of before) {
      if (this.#store.at(other, atNs) === "absent") {
        this.#open(other);
        this.#host.left(other);
      } else if (this.#closing[other] === 1 && !this.#asked.includes(other)) {
        this.#open(other);
        this.#host.ready(other, atNs);
      }
    }
    return true;
  }

  /** Closes models at work until those that leave make `bytes` free. Returns whether one of them has nothing in progress. */
  #close(bytes: number, atNs: number): boolean {
    let freeBytes = this.#store.capacityBytes - this.#store.usedBytes;
    let letGo = false;
    const residents = this.#residents(atNs).filter((model) => this.#kept[model] === 0);
    for (const model of residents)
      if (this.#held[model] === 0 || this.#closing[model] === 1) freeBytes += this.#footprints[model]!;
    for (const model of residents) {
      if (freeBytes >= bytes) break;
      if (this.#held[model] === 0 || this.#closing[model] === 1 || this.#fresh[model] === 1) continue;
      this.#closing[model] = 1;
      this.#host.admit(model, false);
      freeBytes += this.#footprints[model]!;
      if (this.#host.begun(model) > 0) continue;
      this.#letGo(model);
      letGo = true;
    }
    return letGo;
  }

  #open(model: number): void {
    if (this.#closing[model] === 0) return;
    this.#closing[model] = 0;
    this.#host.admit(model, true);
  }

  /** Models that are there, the one whose last step is longest ago first. */
  #residents(atNs: number): number[] {
    const found: number[] = [];
    for (let model = this.#ranking.first(); model >= 0; model = this.#ranking.after(model))
      if (this.#store.at(model, atNs) === "resident") found.push(model);
    return found;
  }
}
