/**
 * When a resource that serves one piece of work at a time is busy, for work that is not asked for in order of time. A piece
 * takes the first free time from when it is asked for, interrupted by what was booked before it: from then until it is done
 * the resource is busy without a gap, so what is booked stays a short list of intervals.
 */
export class Calendar {
  /** Time booked in all, ns. */
  busyNs = 0;
  private begins = new Float64Array(64);
  private ends = new Float64Array(64);
  /** Intervals [head, tail) are in order of time and apart, or touch. */
  private head = 0;
  private tail = 0;

  /** Books `ns` of work from `askedNs` on; returns when it is done. */
  book(askedNs: number, ns: number): number {
    if (ns === 0) return askedNs;
    this.busyNs += ns;
    const { begins, ends } = this;
    const first = this.firstEndingFrom(askedNs);
    let next = first;
    let beginNs = askedNs;
    let freeNs = askedNs;
    if (next < this.tail && begins[next]! <= askedNs) {
      beginNs = begins[next]!;
      freeNs = ends[next++]!;
    }
    let left = ns;
    while (next < this.tail && begins[next]! - freeNs < left) {
      left -= begins[next]! - freeNs;
      freeNs = ends[next++]!;
    }
    this.replace(first, next, beginNs, freeNs + left);
    return freeNs + left;
  }

  /** Drops what is over by `nowNs`: nothing will be asked for before that. */
  forget(nowNs: number): void {
    while (this.head < this.tail && this.ends[this.head]! < nowNs) this.head++;
  }

  private firstEndingFrom(ns: number): number {
    const { ends } = this;
    let low = this.head;
    let high = this.tail;
    // Nearly all work is asked for last.
    if (low < high && ends[high - 1]! < ns) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! < ns) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts one interval in place of those in [from, to). */
  private replace(from: number, to: number, beginNs: number, endNs: number): void {
    if (from === to && this.tail === this.begins.length) {
      const { head } = this;
      this.makeRoom();
      from -= head;
      to -= head;
    }
    const { begins, ends } = this;
    if (to !== from + 1 && to < this.tail) {
      begins.copyWithin(from + 1, to, this.tail);
      ends.copyWithin(from + 1, to, this.tail);
    }
    this.tail += from + 1 - to;
    begins[from] = beginNs;
    ends[from] = endNs;
  }

  /** Moves the intervals to the front, into larger arrays where they fill more than half of these. */
  private makeRoom(): void {
    const { head, tail } = this;
    const size = (2 * (tail - head) > this.begins.length ? 2 : 1) * this.begins.length;
    this.begins = moved(this.begins, head, tail, size);
    this.ends = moved(this.ends, head, tail, size);
    this.tail = tail - head;
    this.head = 0;
  }
}

function moved(values: Float64Array, from: number, to: number, size: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(size);
  out.set(values.subarray(from, to));
  return out;
}
