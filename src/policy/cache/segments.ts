import type { LinkedQueues } from "./linked-queues.ts";

/**
 * Segments of least recently used experts, the lowest first: a use moves an expert up one segment, and whom it crowds out of there
 * moves down one. They are queues `first`, `first` + 1, ... of a table that may have others.
 */
export class Segments {
  readonly #queues: LinkedQueues;
  readonly #first: number;
  readonly #slots: readonly number[];

  constructor(queues: LinkedQueues, first: number, slots: readonly number[]) {
    this.#queues = queues;
    this.#first = first;
    this.#slots = slots;
  }

  touch(id: number): void {
    const queues = this.#queues;
    const from = queues.queueOf[id]! - this.#first;
    const target = Math.min(from + 1, this.#slots.length - 1);
    queues.move(this.#first + target, id);
    for (let segment = target; segment > 0; segment--)
      while (queues.length[this.#first + segment]! > this.#slots[segment]!)
        queues.move(this.#first + segment - 1, queues.oldest(this.#first + segment));
  }

  /** An object enters the lowest segment that has room; the lowest of all if none has. */
  load(id: number): void {
    const room = this.#slots.findIndex((slots, segment) => this.#queues.length[this.#first + segment]! < slots);
    this.#queues.append(this.#first + Math.max(0, room), id);
  }

  /** The least recent of the lowest segment that has one not kept; -1 if none has. */
  victim(kept: Uint8Array): number {
    for (let segment = 0; segment < this.#slots.length; segment++) {
      const id = this.#queues.oldestNotIn(kept, this.#first + segment);
      if (id >= 0) return id;
    }
    return -1;
  }
}

/**
 * Slots of segments in proportion to weights, rounded down but none without; the rest goes to the lowest. With fewer slots than
 * segments, only so many segments are there.
 */
export function segmentSlots(capacity: number, weights: readonly number[]): number[] {
  const used = weights.slice(0, Math.max(1, capacity));
  const sum = used.reduce((total, weight) => total + weight, 0);
  const slots = used.map((weight) => Math.max(1, Math.floor((weight / sum) * capacity)));
  let rest = slots.reduce((left, count) => left - count, capacity);
  for (; rest < 0; rest++) slots[slots.lastIndexOf(Math.max(...slots))]! -= 1;
  slots[0]! += rest;
  return slots;
}
