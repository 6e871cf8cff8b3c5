import { holds } from "../../core/errors.ts";
import type { ModelRoom } from "./model-room.ts";

/** What turns ask of the run around them. */
export interface ModelTurnsHost {
  /** Requests that a model has begun and not finished. */
  begun(model: number): number;
  /** Whether requests wait for it. */
  wanted(model: number): boolean;
  /** A model may try to step. */
  wake(model: number, atNs: number): void;
}

/**
 * Models on the same devices, one step at a time: those that are in device memory and have work take turns, the one that has
 * waited longest first.
 */
export class ModelTurns {
  readonly room: ModelRoom;
  /** Requests that found their model there, taking on requests, when they reached its scheduler; and the others. */
  found = 0;
  missed = 0;
  /** Time in which the devices stood still while a model was awaited, ns. */
  stallNs = 0;
  readonly #host: ModelTurnsHost;
  /** The model that steps; -1 where none does. */
  #stepping = -1;
  /** Models that are there and wait for the devices. */
  readonly #waiting: number[] = [];
  #clockNs = 0;

  constructor(room: ModelRoom, host: ModelTurnsHost) {
    this.room = room;
    this.#host = host;
  }

  /** A request reaches the scheduler of its model. */
  count(model: number, atNs: number): void {
    if (this.room.has(model, atNs)) this.found++;
    else this.missed++;
  }

  /** Whether a model may form a step now. Else it is woken when it may, if it has work: once it is there, and at its turn. */
  enter(model: number, atNs: number): boolean {
    this.#pass(atNs);
    const { room } = this;
    const first = this.#waiting[0] === model;
    if (!first && this.#host.begun(model) === 0 && !this.#host.wanted(model)) return false;
    if (!room.canStep(model, atNs)) {
      if (first) this.#waiting.shift();
      room.ask(model, atNs);
      if (first) this.#next(atNs);
      return false;
    }
    room.hold(model);
    // Where others wait the first of them is woken already, and has the turn.
    if (this.#stepping >= 0 || (this.#waiting.length > 0 && !first)) {
      if (!this.#waiting.includes(model)) this.#waiting.push(model);
      return false;
    }
    if (first) this.#waiting.shift();
    this.#stepping = model;
    return true;
  }

  /** The model that may step does: `stepped` is whether it found work. */
  formed(model: number, stepped: boolean, atNs: number): void {
    this.#pass(atNs);
    if (stepped) this.room.steps(model, atNs);
    else this.ended(model, atNs);
  }

  /** The step of a model is over. */
  ended(model: number, atNs: number): void {
    this.#pass(atNs);
    holds(
      this.#stepping === model,
      "one-model-at-a-time",
      () => `model ${model} ends a step of model ${this.#stepping}`,
    );
    this.#stepping = -1;
    if (this.#host.begun(model) === 0) this.room.idle(model, atNs);
    this.#next(atNs);
  }

  /** A model on its way is there. */
  loaded(model: number, atNs: number): void {
    this.#pass(atNs);
    this.room.loaded(model, atNs);
  }

  #next(atNs: number): void {
    if (this.#waiting.length > 0) this.#host.wake(this.#waiting[0]!, atNs);
  }

  /** Books the time up to now. */
  #pass(atNs: number): void {
    if (this.#stepping < 0 && this.room.awaited) this.stallNs += atNs - this.#clockNs;
    this.#clockNs = atNs;
  }
}
