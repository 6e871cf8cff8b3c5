import { ringLength } from "./dense-arrays.ts";
import { LinkedLists } from "./linked-lists.ts";

/** Priorities that have a list each, per object. */
const listsPerObject = 4;

/**
 * Objects by ascending priority, a positive integer, and for equal ones by when they got it. Each priority of a window has a list;
 * all objects beyond it share one, in the order in which they got their priorities. Only a search there costs more than a few steps.
 */
export class PriorityLists {
  /** Lists 0 to `window` - 1 are those of the window, that of number `window` holds the objects beyond. */
  readonly #lists: LinkedLists;
  readonly #window: number;
  /** A bit per list of the window; 0: it is empty. */
  readonly #mayHold: Int32Array;
  /** Priority of each object; 0 if it is in no list. */
  readonly #priority: Float64Array;
  /** The priority of list 0. */
  #from = 0;
  /** All lists below are empty. */
  #lowest = 0;

  constructor(objects: number) {
    this.#window = Math.max(32, ringLength(listsPerObject * objects));
    this.#lists = new LinkedLists(objects, this.#window + 1);
    this.#mayHold = new Int32Array(this.#window >>> 5);
    this.#priority = new Float64Array(objects);
  }

  has(id: number): boolean {
    return (this.#priority[id] ?? 0) !== 0;
  }

  priorityOf(id: number): number {
    return this.#priority[id]!;
  }

  /** @param priority not below that of the first when the window was moved */
  add(id: number, priority: number): void {
    this.#priority[id] = priority;
    const list = Math.min(this.#window, priority - this.#from) | 0;
    this.#lists.append(list, id);
    if (list < this.#lowest) this.#lowest = list;
    if (list < this.#window) this.#mayHold[list >>> 5]! |= 1 << (list & 31);
  }

  /** Gives a member another priority. */
  change(id: number, priority: number): void {
    this.#lists.remove(id);
    this.add(id, priority);
  }

  remove(id: number): void {
    this.#lists.remove(id);
    this.#priority[id] = 0;
  }

  /** The first in order: lowest priority, then longest in its list; -1 if there is none. */
  first(): number {
    const list = this.#nextList(this.#lowest);
    this.#lowest = list;
    return list < this.#window ? this.#lists.oldest(list) : this.#nextBeyond(-1);
  }

  /** The next in order; -1 after the last. */
  after(id: number): number {
    const at = this.#priority[id]! - this.#from;
    if (at >= this.#window) return this.#nextBeyond(id);
    const next = this.#lists.after(id);
    if (!this.#lists.isMark(next)) return next;
    const list = this.#nextList(at + 1);
    return list < this.#window ? this.#lists.oldest(list) : this.#nextBeyond(-1);
  }

  /** Where the window is empty, it moves to the first beyond; no lower priority may be added from then on. */
  moveWindow(): void {
    const lists = this.#lists;
    const first = this.first();
    if (first < 0 || this.#lowest < this.#window) return;
    this.#from = this.#priority[first]!;
    let id = lists.oldest(this.#window);
    const last = lists.newest(this.#window);
    for (;;) {
      const next = lists.after(id);
      this.change(id, this.#priority[id]!);
      if (id === last) return;
      id = next;
    }
  }

  /** The first list from one on that is not empty; `window` if all are. */
  #nextList(from: number): number {
    const mayHold = this.#mayHold;
    for (let word = from >>> 5, skipped = from & 31; word < mayHold.length; word++, skipped = 0)
      for (let bits = mayHold[word]! & (-1 << skipped); bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        const list = (word << 5) | bit;
        if (!this.#lists.isMark(this.#lists.oldest(list))) return list;
        mayHold[word]! &= ~(1 << bit);
      }
    return this.#window;
  }

  /** The first of those beyond the window that come after an id there, or of all for -1; -1 if there is none. */
  #nextBeyond(after: number): number {
    const lists = this.#lists;
    const least = after < 0 ? 0 : this.#priority[after]!;
    let isPassed = false;
    let first = -1;
    for (let id = lists.oldest(this.#window); !lists.isMark(id); id = lists.after(id)) {
      const priority = this.#priority[id]!;
      const follows = priority > least || (priority === least && isPassed);
      if (id === after) isPassed = true;
      else if (follows && (first < 0 || priority < this.#priority[first]!)) first = id;
    }
    return first;
  }
}
