import { denseArray } from "./dense-arrays.ts";

/** Circular doubly linked lists of ids in [0, objects), oldest first. An id is in one list at most; who uses them knows in which. */
export class LinkedLists {
  /** The next of node n at 2n, the one before at 2n + 1. Node `objects + list` is the end mark of a list. */
  readonly #links: Uint16Array | Uint32Array;
  readonly #objects: number;

  constructor(objects: number, lists: number) {
    this.#objects = objects;
    this.#links = denseArray(2 * (objects + lists), objects + lists);
    for (let at = 2 * objects; at < this.#links.length; at++) this.#links[at] = at >>> 1;
  }

  /** The oldest of a list; an empty list gives its end mark, which is no id. */
  oldest(list: number): number {
    return this.#links[(this.#objects + list) << 1]!;
  }

  /** The newest of a list that is not empty. */
  newest(list: number): number {
    return this.#links[((this.#objects + list) << 1) | 1]!;
  }

  /** The one after an id in its list; after the newest comes the end mark. */
  after(id: number): number {
    return this.#links[id << 1]!;
  }

  isMark(node: number): boolean {
    return node >= this.#objects;
  }

  append(list: number, id: number): void {
    const links = this.#links;
    const mark = (this.#objects + list) | 0;
    const last = links[(mark << 1) | 1]!;
    links[last << 1] = id;
    links[(id << 1) | 1] = last;
    links[id << 1] = mark;
    links[(mark << 1) | 1] = id;
  }

  remove(id: number): void {
    const links = this.#links;
    const after = links[id << 1]!;
    const before = links[(id << 1) | 1]!;
    links[before << 1] = after;
    links[(after << 1) | 1] = before;
  }
}
