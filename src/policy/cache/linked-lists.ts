import { denseArray } from "./dense-arrays.ts";

/** Circular doubly linked lists of ids in [0, objects), oldest first. An id is in one list at most; who uses them knows in which. */
export class LinkedLists {
  /** Node `objects + list` is the end mark of a list. */
  readonly next: Uint16Array | Uint32Array;
  readonly previous: Uint16Array | Uint32Array;
  readonly #objects: number;

  constructor(objects: number, lists: number) {
    this.#objects = objects;
    this.next = denseArray(objects + lists, objects + lists);
    this.previous = denseArray(objects + lists, objects + lists);
    for (let mark = objects; mark < objects + lists; mark++) {
      this.next[mark] = mark;
      this.previous[mark] = mark;
    }
  }

  /** The oldest of a list; an empty list gives its end mark, which is no id. */
  oldest(list: number): number {
    return this.next[this.#objects + list]!;
  }

  /** The newest of a list; an empty list gives its end mark, which is no id. */
  newest(list: number): number {
    return this.previous[this.#objects + list]!;
  }

  isMark(node: number): boolean {
    return node >= this.#objects;
  }

  append(list: number, id: number): void {
    const mark = this.#objects + list;
    const last = this.previous[mark]!;
    this.next[last] = id;
    this.previous[id] = last;
    this.next[id] = mark;
    this.previous[mark] = id;
  }

  remove(id: number): void {
    const before = this.previous[id]!;
    const after = this.next[id]!;
    this.next[before] = after;
    this.previous[after] = before;
  }
}
