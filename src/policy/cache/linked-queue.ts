import { LinkedLists } from "./linked-lists.ts";

/** Queues with numbers 1, 2, ... over one table of ids; an id is in one of them at most. */
export class QueueTable {
  readonly objects: number;
  readonly lists: LinkedLists;
  /** Number of the queue of each id; 0 for none. */
  readonly queueOf: Uint8Array;

  constructor(objects: number, queues: number) {
    this.objects = objects;
    this.lists = new LinkedLists(objects, queues + 1);
    this.queueOf = new Uint8Array(objects);
  }
}

/** One queue of a table, oldest first. Every operation but a search for one that may leave takes a constant number of steps. */
export class LinkedQueue {
  length = 0;
  readonly #number: number;
  readonly #lists: LinkedLists;
  readonly #queueOf: Uint8Array;

  constructor({ lists, queueOf }: QueueTable, number: number) {
    this.#number = number;
    this.#lists = lists;
    this.#queueOf = queueOf;
  }

  /** Adds an id that is in no queue as the newest. */
  add(id: number): void {
    this.#lists.append(this.#number, id);
    this.#queueOf[id] = this.#number;
    this.length++;
  }

  /** Takes out one of its ids. */
  remove(id: number): void {
    this.#lists.remove(id);
    this.#queueOf[id] = 0;
    this.length--;
  }

  /** Makes one of its ids the newest. */
  renew(id: number): void {
    this.#lists.remove(id);
    this.#lists.append(this.#number, id);
  }

  /** Moves one of its ids to the newest end of another queue of the table. */
  moveTo(other: LinkedQueue, id: number): void {
    this.#lists.remove(id);
    this.length--;
    other.add(id);
  }

  /** The oldest; there is one. */
  oldest(): number {
    return this.#lists.oldest(this.#number);
  }

  /** The oldest that is not kept; -1 if there is none. */
  oldestNotIn(kept: Uint8Array): number {
    const lists = this.#lists;
    let id = lists.oldest(this.#number);
    while (!lists.isMark(id)) {
      if (kept[id] !== 1) return id;
      id = lists.after(id);
    }
    return -1;
  }
}
