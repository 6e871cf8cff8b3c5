import { denseArray } from "./dense-arrays.ts";
import { LinkedLists } from "./linked-lists.ts";

/**
 * Objects in lists, one per distinct priority, each ordered by when its members got it. The lists are chained by ascending
 * priority; list 0 is the end of the chain. A place is searched from a list upwards, so what rises by little costs little.
 */
export class PriorityLists {
  readonly #lists: LinkedLists;
  /** List of each object; 0 if it is in none. */
  readonly #listOf: Uint16Array | Uint32Array;
  readonly #priority: Float64Array;
  /** Neighbours in the chain. Unused lists are chained by `#above`. */
  readonly #above: Int32Array;
  readonly #below: Int32Array;
  #unused = 1;

  constructor(objects: number) {
    const lists = objects + 2;
    this.#lists = new LinkedLists(objects, lists);
    this.#listOf = denseArray(objects, lists);
    this.#priority = new Float64Array(lists);
    this.#above = Int32Array.from({ length: lists }, (_, list) => list + 1);
    this.#below = new Int32Array(lists);
    this.#above[0] = 0;
  }

  has(id: number): boolean {
    return (this.#listOf[id] ?? 0) !== 0;
  }

  priorityOf(id: number): number {
    return this.#priority[this.#listOf[id]!]!;
  }

  /** The first in order: lowest priority, then longest in its list; -1 if there is none. */
  first(): number {
    const list = this.#above[0]!;
    return list === 0 ? -1 : this.#lists.oldest(list);
  }

  /** The next in order; -1 after the last. */
  after(id: number): number {
    const next = this.#lists.after(id);
    if (!this.#lists.isMark(next)) return next;
    const list = this.#above[this.#listOf[id]!]!;
    return list === 0 ? -1 : this.#lists.oldest(list);
  }

  add(id: number, priority: number): void {
    this.#place(id, priority, 0);
  }

  /** Gives a member a higher priority than it has; it becomes the newest of that list. */
  raise(id: number, priority: number): void {
    const list = this.#listOf[id]!;
    const above = this.#above[list]!;
    const isAlone = this.#lists.isAlone(id);
    if (isAlone && (above === 0 || this.#priority[above]! > priority)) {
      this.#priority[list] = priority;
      return;
    }
    this.#lists.remove(id);
    this.#place(id, priority, list);
    if (isAlone) this.#close(list);
  }

  remove(id: number): void {
    const list = this.#listOf[id]!;
    const isAlone = this.#lists.isAlone(id);
    this.#lists.remove(id);
    this.#listOf[id] = 0;
    if (isAlone) this.#close(list);
  }

  /** Appends to the list of a priority, above list `from`. */
  #place(id: number, priority: number, from: number): void {
    const above = this.#above;
    let below = from;
    let list = above[below]!;
    while (list !== 0 && this.#priority[list]! < priority) {
      below = list;
      list = above[below]!;
    }
    if (list === 0 || this.#priority[list] !== priority) list = this.#open(priority, below);
    this.#lists.append(list, id);
    this.#listOf[id] = list;
  }

  #open(priority: number, below: number): number {
    const list = this.#unused;
    this.#unused = this.#above[list]!;
    const above = this.#above[below]!;
    this.#priority[list] = priority;
    this.#above[below] = list;
    this.#below[list] = below;
    this.#above[list] = above;
    this.#below[above] = list;
    return list;
  }

  #close(list: number): void {
    const above = this.#above[list]!;
    const below = this.#below[list]!;
    this.#above[below] = above;
    this.#below[above] = below;
    this.#above[list] = this.#unused;
    this.#unused = list;
  }
}
