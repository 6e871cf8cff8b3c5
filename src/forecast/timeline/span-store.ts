/** Times between which something is shown, ns after the first arrival. */
export interface TimeWindow {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Always, as far as there is room. */
export const always: TimeWindow = { fromNs: 0, toNs: Number.POSITIVE_INFINITY };

const firstRoom = 1024;
/** Numbers beside a span, by its kind. */
const numbers = 3;

/** Spans of a timeline as columns, in the order in which they became known. It grows up to its room, and refuses what comes then. */
export class SpanStore {
  count = 0;
  /** [count] */
  track = new Uint32Array(firstRoom);
  kind = new Uint8Array(firstRoom);
  /** ns after the first arrival. */
  beginNs = new Float64Array(firstRoom);
  endNs = new Float64Array(firstRoom);
  /** [count][3] numbers beside it; NaN where it has fewer. */
  numbers = new Float64Array(firstRoom * numbers);
  /** The earliest begin of what was refused for lack of room, ns; Infinity without any. */
  refusedNs = Number.POSITIVE_INFINITY;
  private readonly window: TimeWindow;
  private readonly room: number;

  constructor(window: TimeWindow, room: number) {
    this.window = window;
    this.room = room;
  }

  /** Something that begins then was left out, as there is no room. */
  refuse(beginNs: number): void {
    this.refusedNs = Math.min(this.refusedNs, Math.max(beginNs, this.window.fromNs));
  }

  /** Whether anything was refused for lack of room. */
  get full(): boolean {
    return this.refusedNs < Number.POSITIVE_INFINITY;
  }

  /** Adds a span that reaches into the window. Returns its index; -1 where it does not, or where there is no room. */
  add(track: number, kind: number, beginNs: number, endNs: number, a = NaN, b = NaN, c = NaN): number {
    const { fromNs, toNs } = this.window;
    if (!(endNs > fromNs && beginNs < toNs && endNs > beginNs)) return -1;
    const i = this.count;
    if (i === this.room) {
      this.refuse(beginNs);
      return -1;
    }
    if (i === this.track.length) this.grow();
    this.count++;
    this.track[i] = track;
    this.kind[i] = kind;
    this.beginNs[i] = beginNs;
    this.endNs[i] = endNs;
    this.numbers[i * numbers] = a;
    this.numbers[i * numbers + 1] = b;
    this.numbers[i * numbers + 2] = c;
    return i;
  }

  /** Adds a span of another store, `laterNs` later. */
  addFrom(other: SpanStore, i: number, laterNs: number, first: number): void {
    const at = i * numbers;
    this.add(
      other.track[i]!,
      other.kind[i]!,
      other.beginNs[i]! + laterNs,
      other.endNs[i]! + laterNs,
      first,
      other.numbers[at + 1]!,
      other.numbers[at + 2]!,
    );
  }

  clear(): void {
    this.count = 0;
  }

  private grow(): void {
    const size = 2 * this.track.length;
    this.track = larger(this.track, new Uint32Array(size));
    this.kind = larger(this.kind, new Uint8Array(size));
    this.beginNs = larger(this.beginNs, new Float64Array(size));
    this.endNs = larger(this.endNs, new Float64Array(size));
    this.numbers = larger(this.numbers, new Float64Array(size * numbers));
  }
}

function larger<T extends Float64Array | Uint32Array | Uint8Array>(values: T, into: T): T {
  into.set(values);
  return into;
}
