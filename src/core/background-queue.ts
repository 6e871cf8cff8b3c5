import { InvariantError } from "./errors.ts";

/** Places of ids that wait in no line. */
const begun = -1;
const free = -2;
const none = -1;

/**
 * Background work of one resource: pieces of equal chunks under dense ids. A piece waits in the order (priority, time of
 * submission) while it has chunks that are not begun. Then it waits to be collected, in the order in which pieces end.
 * A binary heap that knows the place of every id and a linked list, so that a piece leaves either from the middle.
 */
export class BackgroundQueue {
  /** [id] time and bytes of one chunk, ns and bytes. */
  chunkNs = new Float64Array(8);
  chunkBytes = new Float64Array(8);
  /** [id] chunks that are not begun. */
  left = new Float64Array(8);
  /** [id] end of the last chunk that is begun, ns; -Infinity before the first. */
  endNs = new Float64Array(8);
  /** The piece whose chunk begins next, -1 without one. */
  first = none;
  /** Of the pieces with all chunks begun, the one that ends first; -1 without one. */
  ended = none;
  private lastEnded = none;
  private priority = new Float64Array(8);
  private sequence = new Float64Array(8);
  /** [id] place in the heap, `begun` or `free`. */
  private place = new Int32Array(8).fill(free);
  private next = new Int32Array(8);
  private previous = new Int32Array(8);
  private heap = new Int32Array(8);
  private size = 0;
  private submitted = 0;
  /** Ids below are in use or in the list of free ones. */
  private ids = 0;
  private freeId = none;

  /** A piece of `chunks` chunks; the smaller priority goes first. Returns its id. */
  add(chunks: number, chunkNs: number, chunkBytes: number, priority: number): number {
    let id = this.freeId;
    if (id === none) {
      id = this.ids++;
      if (id === this.left.length) this.grow();
    } else this.freeId = this.next[id]!;
    this.chunkNs[id] = chunkNs;
    this.chunkBytes[id] = chunkBytes;
    this.left[id] = chunks;
    this.endNs[id] = -Infinity;
    this.priority[id] = priority;
    this.sequence[id] = this.submitted++;
    this.rise(this.size++, id);
    this.first = this.heap[0]!;
    return id;
  }

  /** One chunk of the first piece begins, and ends at `endNs`. */
  begin(endNs: number): void {
    const id = this.first;
    this.endNs[id] = endNs;
    if (--this.left[id]! > 0) return;
    this.leave(id);
    this.place[id] = begun;
    this.next[id] = none;
    this.previous[id] = this.lastEnded;
    if (this.lastEnded === none) this.ended = id;
    else this.next[this.lastEnded] = id;
    this.lastEnded = id;
  }

  /** Forgets a piece; its id is given away again. */
  release(id: number): void {
    const place = this.place[id] ?? free;
    if (place === free) throw new InvariantError("resource-work", `no background work has the id ${id}`);
    if (place === begun) this.unlink(id);
    else this.leave(id);
    this.place[id] = free;
    this.next[id] = this.freeId;
    this.freeId = id;
  }

  private unlink(id: number): void {
    const before = this.previous[id]!;
    const after = this.next[id]!;
    if (before === none) this.ended = after;
    else this.next[before] = after;
    if (after === none) this.lastEnded = before;
    else this.previous[after] = before;
  }

  /** Takes a piece out of the heap: the last one fills its place. */
  private leave(id: number): void {
    const hole = this.place[id]!;
    const last = this.heap[--this.size]!;
    if (last !== id) {
      this.rise(hole, last);
      this.sink(this.place[last]!, last);
    }
    this.first = this.size === 0 ? none : this.heap[0]!;
  }

  private before(a: number, b: number): boolean {
    const { priority, sequence } = this;
    return priority[a]! < priority[b]! || (priority[a] === priority[b] && sequence[a]! < sequence[b]!);
  }

  private rise(hole: number, id: number): void {
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = this.heap[parent]!;
      if (!this.before(id, above)) break;
      this.put(hole, above);
      hole = parent;
    }
    this.put(hole, id);
  }

  private sink(hole: number, id: number): void {
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.before(this.heap[child + 1]!, this.heap[child]!)) child++;
      const below = this.heap[child]!;
      if (!this.before(below, id)) break;
      this.put(hole, below);
      hole = child;
    }
    this.put(hole, id);
  }

  private put(place: number, id: number): void {
    this.heap[place] = id;
    this.place[id] = place;
  }

  private grow(): void {
    const size = 2 * this.left.length;
    this.chunkNs = larger(this.chunkNs, new Float64Array(size));
    this.chunkBytes = larger(this.chunkBytes, new Float64Array(size));
    this.left = larger(this.left, new Float64Array(size));
    this.endNs = larger(this.endNs, new Float64Array(size));
    this.priority = larger(this.priority, new Float64Array(size));
    this.sequence = larger(this.sequence, new Float64Array(size));
    this.place = larger(this.place, new Int32Array(size).fill(free));
    this.next = larger(this.next, new Int32Array(size));
    this.previous = larger(this.previous, new Int32Array(size));
    this.heap = larger(this.heap, new Int32Array(size));
  }
}

function larger<T extends Float64Array | Int32Array>(values: T, into: T): T {
  into.set(values);
  return into;
}
