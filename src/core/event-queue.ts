import { InfeasibleError, InvariantError } from "./errors.ts";

/** Largest time an event may have: integers above it are not all representable (104 days in nanoseconds). */
const latestNs = Number.MAX_SAFE_INTEGER;
const nsPerDay = 86_400e9;
/** Sequence numbers below each step of priority; 3.5e13 events fit. */
const sequencesPerPriority = 2 ** 45;
const priorityLimit = 128;

/** Numbers per event in the heap: time, rank, kind, payload. */
const stride = 4;

/**
 * Pending events in the order (time, priority, sequence): earlier first, then the smaller priority, then whichever was
 * pushed first. A 4-ary heap in one Float64Array, 32 bytes an event, so that neither push nor pop allocates and the
 * four children of a node lie in two cache lines (bench/event-queue.ts).
 *
 * `pop` leaves the event in `atNs`, `priority`, `kind` and `payload`. The clock never runs backwards: an event earlier
 * than the last one popped is refused, and so is one beyond 104 days (InfeasibleError).
 */
export class EventQueue {
  /** Time of the popped event, whole nanoseconds. */
  atNs = 0;
  priority = 0;
  kind = 0;
  payload = 0;
  private heap: Float64Array;
  private count = 0;
  private sequence = 0;

  /** @param capacity events held before the first regrowth. */
  constructor(capacity = 64) {
    this.heap = new Float64Array(Math.max(1, capacity) * stride);
  }

  get size(): number {
    return this.count;
  }

  /**
   * @param atNs whole nanoseconds, not before the last popped event.
   * @param priority whole number from -128 to 127; smaller goes first among events of one time.
   * @param kind number that tells the receiver what happened.
   * @param payload number that tells the receiver to whom, usually a slot index.
   */
  push(atNs: number, priority: number, kind: number, payload: number): void {
    if (!(atNs >= this.atNs && atNs <= latestNs && atNs === Math.floor(atNs))) refuseTime(atNs, this.atNs);
    if (!(priority >= -priorityLimit && priority < priorityLimit && priority === Math.floor(priority)))
      throw new InvariantError("event-priority", `priority ${priority} is no whole number from -128 to 127`);
    const rank = priority * sequencesPerPriority + this.sequence++;
    let hole = this.count++ * stride;
    if (hole === this.heap.length) this.grow();
    const heap = this.heap;
    while (hole > 0) {
      const parent = ((hole / stride - 1) >> 2) * stride;
      const parentNs = heap[parent]!;
      if (parentNs < atNs || (parentNs === atNs && heap[parent + 1]! < rank)) break;
      heap[hole] = parentNs;
      heap[hole + 1] = heap[parent + 1]!;
      heap[hole + 2] = heap[parent + 2]!;
      heap[hole + 3] = heap[parent + 3]!;
      hole = parent;
    }
    heap[hole] = atNs;
    heap[hole + 1] = rank;
    heap[hole + 2] = kind;
    heap[hole + 3] = payload;
  }

  /** Takes the first event out, into the fields; false when there is none. */
  pop(): boolean {
    if (this.count === 0) return false;
    const heap = this.heap;
    this.atNs = heap[0]!;
    this.priority = Math.floor(heap[1]! / sequencesPerPriority);
    this.kind = heap[2]!;
    this.payload = heap[3]!;
    const last = --this.count * stride;
    if (last > 0) this.sinkFromTop(heap, last);
    return true;
  }

  /** Time of the first pending event, Infinity when there is none. */
  peekNs(): number {
    return this.count === 0 ? Infinity : this.heap[0]!;
  }

  /** Puts the event at `last` (one past the end of the heap) where the top was and restores the order. */
  private sinkFromTop(heap: Float64Array, last: number): void {
    const atNs = heap[last]!;
    const rank = heap[last + 1]!;
    let hole = 0;
    for (;;) {
      const first = hole * 4 + stride;
      if (first >= last) break;
      let best = first;
      let bestNs = heap[first]!;
      const end = Math.min(first + 4 * stride, last);
      for (let child = first + stride; child < end; child += stride) {
        const childNs = heap[child]!;
        if (childNs < bestNs || (childNs === bestNs && heap[child + 1]! < heap[best + 1]!)) {
          best = child;
          bestNs = childNs;
        }
      }
      if (atNs < bestNs || (atNs === bestNs && rank < heap[best + 1]!)) break;
      heap[hole] = bestNs;
      heap[hole + 1] = heap[best + 1]!;
      heap[hole + 2] = heap[best + 2]!;
      heap[hole + 3] = heap[best + 3]!;
      hole = best;
    }
    heap[hole] = atNs;
    heap[hole + 1] = rank;
    heap[hole + 2] = heap[last + 2]!;
    heap[hole + 3] = heap[last + 3]!;
  }

  private grow(): void {
    const larger = new Float64Array(this.heap.length * 2);
    larger.set(this.heap);
    this.heap = larger;
  }
}

function refuseTime(atNs: number, nowNs: number): never {
  if (atNs < nowNs) throw new InvariantError("clock-monotone", `event at ${atNs} ns, but the clock is at ${nowNs} ns`);
  if (atNs > latestNs)
    throw new InfeasibleError(
      `the run passes 104 days of simulated time, the longest that its clock counts in whole nanoseconds: ` +
        `an event at ${(atNs / nsPerDay).toPrecision(3)} days; send fewer requests, send them faster, or take faster hardware`,
    );
  throw new InvariantError("integer-time", `event at ${atNs} ns; times are whole nanoseconds from 0 to 2^53 - 1`);
}
