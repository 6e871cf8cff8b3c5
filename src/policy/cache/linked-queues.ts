import { denseArray } from "./dense-arrays.ts";

/** Queue number of what is in none. */
const nowhere = 0;

/**
 * Queues 1, 2, ... of dense ids, oldest first; an id is in one of them at most. All share one table of neighbours: every operation
 * but a search for one that may leave takes a constant number of steps.
 */
export class LinkedQueues {
  /** Queue of each id. */
  readonly queueOf: Uint8Array;
  /** Ids in each queue. */
  readonly length: Int32Array;
  /** Neighbours in the queue. Node `objects + q` is the end mark of queue q: its next is the oldest, its previous the newest. */
  readonly #next: Uint16Array | Uint32Array;
  readonly #previous: Uint16Array | Uint32Array;
  readonly #objects: number;

  constructor(objects: number, queues: number) {
    const nodes = objects + queues + 1;
    this.queueOf = new Uint8Array(objects);
    this.length = new Int32Array(queues + 1);
    this.#next = denseArray(nodes, nodes);
    this.#previous = denseArray(nodes, nodes);
    this.#objects = objects;
    for (let mark = objects; mark < nodes; mark++) {
      this.#next[mark] = mark;
      this.#previous[mark] = mark;
    }
  }

  /** Adds an id that is in no queue as the newest. */
  append(queue: number, id: number): void {
    const mark = this.#objects + queue;
    const last = this.#previous[mark]!;
    this.#next[last] = id;
    this.#previous[id] = last;
    this.#next[id] = mark;
    this.#previous[mark] = id;
    this.queueOf[id] = queue;
    this.length[queue]!++;
  }

  /** Takes an id out of its queue. */
  remove(id: number): void {
    const before = this.#previous[id]!;
    const after = this.#next[id]!;
    this.#next[before] = after;
    this.#previous[after] = before;
    this.length[this.queueOf[id]!]!--;
    this.queueOf[id] = nowhere;
  }

  /** Moves an id to the newest end of a queue. */
  move(queue: number, id: number): void {
    this.remove(id);
    this.append(queue, id);
  }

  /** The oldest id of a queue that is not empty. */
  oldest(queue: number): number {
    return this.#next[this.#objects + queue]!;
  }

  /** The oldest id of a queue that is not kept; -1 if there is none. */
  oldestNotIn(kept: Uint8Array, queue: number): number {
    const mark = this.#objects + queue;
    let id = this.#next[mark]!;
    while (id !== mark && kept[id] === 1) id = this.#next[id]!;
    return id === mark ? -1 : id;
  }

  /** Takes out the oldest of a queue until it has no more than `most`. */
  trim(queue: number, most: number): void {
    while (this.length[queue]! > most) this.remove(this.oldest(queue));
  }
}
