import type { LinkedQueue, QueueTable } from "./linked-queue.ts";

/**
 * Segments of least recently used experts, the lowest first: a use moves an expert up one segment, and whom it crowds out of there
 * moves down one. They are queues `first`, `first` + 1, ... of a table.
 */
export class Segments {
  readonly #table: QueueTable;
  readonly #first: number;
  readonly #queues: readonly LinkedQueue[];
  readonly #slots: Int32Array;

  constructor(table: QueueTable, queues: readonly LinkedQueue[], first: number, slots: readonly number[]) {
    this.#table = table;
    this.#first = first;
    this.#queues = queues.slice(first - 1, first - 1 + slots.length);
    this.#slots = Int32Array.from(slots);
  }

  touch(id: number): void {
    const from = this.#table.queueOf[id]! - this.#first;
    const segment = this.#queues[from]!;
    if (from === this.#queues.length - 1) {
      segment.renew(id);
      return;
    }
    const higher = this.#queues[from + 1]!;
    if (higher.length === this.#slots[from + 1]) higher.moveTo(segment, higher.oldest());
    segment.moveTo(higher, id);
  }

  /** An object enters the lowest segment that has room; the lowest of all if none has. */
  load(id: number): void {
    const queues = this.#queues;
    let segment = 0;
    while (segment < queues.length && queues[segment]!.length >= this.#slots[segment]!) segment++;
    queues[segment < queues.length ? segment : 0]!.add(id);
  }

  /** The least recent of the lowest segment that has one not kept; -1 if none has. */
  victim(kept: Uint8Array): number {
    for (const queue of this.#queues) {
      const id = queue.oldestNotIn(kept);
      if (id >= 0) return id;
    }
    return -1;
  }

  remove(id: number): void {
    this.#queues[this.#table.queueOf[id]! - this.#first]!.remove(id);
  }

  /** Whether they hold fewer than they have slots. */
  hasRoom(): boolean {
    let free = 0;
    for (let segment = 0; segment < this.#queues.length; segment++)
      free += this.#slots[segment]! - this.#queues[segment]!.length;
    return free > 0;
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
