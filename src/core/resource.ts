import { BackgroundQueue } from "./background-queue.ts";
import { InvariantError } from "./errors.ts";

/** Who follows a resource: it is told of each demand when that is submitted, of each background chunk once it has begun. Changes nothing. */
export interface ResourceWatch {
  serves(beginNs: number, ns: number, bytes: number, demand: boolean): void;
}

/**
 * Something that serves one piece of work at a time: a link, a disk, host memory, a tokeniser. *Demand* work is served
 * first come, first served, so its end is known when it is submitted. *Background* work runs in the gaps between
 * demands, in chunks that nothing interrupts: a demand waits for one chunk at most. At one instant demand goes first.
 *
 * Calls come in order of time, from 0 on. Times are nanoseconds, whole or not. No object is made per call; arrays grow when
 * more background work is under way than ever before.
 */
export class Resource {
  /** Time given to demands from their submission on, and to background chunks from their begin on, ns. */
  demandBusyNs = 0;
  backgroundBusyNs = 0;
  /** Bytes of all work that `busyNs` counts. */
  bytes = 0;
  /** Time that demands waited for demands before them, and for a background chunk in progress, summed, ns. */
  demandWaitNs = 0;
  backgroundWaitNs = 0;
  /** Demands submitted, raised background work included, and background chunks begun. */
  demands = 0;
  chunks = 0;
  /** null: nobody. */
  watch: ResourceWatch | null = null;
  private readonly background = new BackgroundQueue();
  /** Time of the last call, end of all that is begun or promised, end of the last background chunk, ns. */
  private clockNs = 0;
  private endNs = 0;
  private chunkEndNs = 0;

  /** Time for which the resource is taken up to the last call, ns. */
  get busyNs(): number {
    return this.demandBusyNs + this.backgroundBusyNs;
  }

  /** Time that demands waited, whatever for, summed, ns. */
  get waitNs(): number {
    return this.demandWaitNs + this.backgroundWaitNs;
  }

  /** Time of the last call, ns: none may be earlier. */
  get atNs(): number {
    return this.clockNs;
  }

  /** Time for which the resource is taken before `atNs`, ns, where no demand ends later: a chunk in progress is cut there. */
  busyBefore(atNs: number): number {
    return this.busyNs - Math.max(0, this.chunkEndNs - atNs);
  }

  /** Lets background chunks begin that begin before `atNs`. Returns the end of what is begun or promised then, ns. */
  settle(atNs: number): number {
    if (!(atNs >= this.clockNs)) refuseOrder(atNs, this.clockNs);
    const { background } = this;
    while (background.first >= 0) {
      const beginNs = Math.max(this.endNs, this.clockNs);
      if (beginNs >= atNs) break;
      const ns = background.chunkNs[background.first]!;
      this.endNs = this.chunkEndNs = beginNs + ns;
      this.backgroundBusyNs += ns;
      this.bytes += background.chunkBytes[background.first]!;
      this.chunks++;
      this.watch?.serves(beginNs, ns, background.chunkBytes[background.first]!, false);
      background.begin(this.endNs);
    }
    this.clockNs = atNs;
    return this.endNs;
  }

  /** When a demand that is submitted at `atNs` begins, ns. */
  beginNs(atNs: number): number {
    return Math.max(this.settle(atNs), atNs);
  }

  /** Demand work of `ns` nanoseconds and `bytes` bytes. Returns when it is done, ns. */
  demand(atNs: number, ns: number, bytes: number): number {
    if (!(ns >= 0 && ns < Infinity && bytes >= 0)) refuseWork(ns, bytes);
    this.settle(atNs);
    return this.serve(atNs, ns, bytes, this.chunkEndNs - atNs);
  }

  /**
   * Background work of `chunks` chunks, each of `chunkNs` nanoseconds and `chunkBytes` bytes. Of all that waits, the
   * smallest priority goes first, then what was submitted first. Returns an id, good until `raise` or `cancel` ends it or
   * `take` returns it: every piece needs one of the three.
   */
  submit(atNs: number, chunks: number, chunkNs: number, chunkBytes: number, priority: number): number {
    if (!(chunkNs >= 0 && chunkNs < Infinity && chunkBytes >= 0)) refuseWork(chunkNs, chunkBytes);
    if (!(Number.isInteger(chunks) && chunks >= 1 && Number.isFinite(priority)))
      throw new InvariantError("resource-work", `background work of ${chunks} chunks at priority ${priority}`);
    this.settle(atNs);
    return this.background.add(chunks, chunkNs, chunkBytes, priority);
  }

  /**
   * When background work is done, ns; Infinity while it has chunks that are not begun. It stays under its id. For owners that
   * share a resource with others, and so cannot {@link take}.
   */
  doneNs(atNs: number, id: number): number {
    this.settle(atNs);
    return this.background.left[id] === 0 ? this.background.endNs[id]! : Number.POSITIVE_INFINITY;
  }

  /**
   * Somebody waits for background work: its chunks that are not begun become a demand. Returns when all of it is done,
   * ns; before `atNs` if it has been done for a while.
   */
  raise(atNs: number, id: number): number {
    this.settle(atNs);
    const { background } = this;
    const left = background.left[id]!;
    const ownEndNs = background.endNs[id]!;
    const ns = left * background.chunkNs[id]!;
    const bytes = left * background.chunkBytes[id]!;
    background.release(id);
    if (left === 0) return ownEndNs;
    // A chunk of its own in progress is no wait.
    return this.serve(atNs, ns, bytes, ownEndNs > atNs ? 0 : this.chunkEndNs - atNs);
  }

  /** Nobody wants background work any more: a chunk in progress ends. Returns how many chunks were not begun. */
  cancel(atNs: number, id: number): number {
    this.settle(atNs);
    const left = this.background.left[id]!;
    this.background.release(id);
    return left;
  }

  /** The id of background work that is done by `atNs`, the first that was done; -1 when there is none. */
  take(atNs: number): number {
    this.settle(atNs);
    const id = this.background.ended;
    if (id < 0 || this.background.endNs[id]! > atNs) return -1;
    this.background.release(id);
    return id;
  }

  /** @param chunkNs how long a chunk of others is still in progress, ns; none if not above 0. */
  private serve(atNs: number, ns: number, bytes: number, chunkNs: number): number {
    const beginNs = Math.max(this.endNs, atNs);
    this.backgroundWaitNs += Math.max(0, chunkNs);
    this.demandWaitNs += beginNs - Math.max(atNs, this.chunkEndNs);
    this.demandBusyNs += ns;
    this.bytes += bytes;
    this.demands++;
    this.endNs = beginNs + ns;
    this.watch?.serves(beginNs, ns, bytes, true);
    return this.endNs;
  }
}

function refuseOrder(atNs: number, clockNs: number): never {
  throw new InvariantError("resource-order", `work is submitted at ${atNs} ns, after a call at ${clockNs} ns`);
}

function refuseWork(ns: number, bytes: number): never {
  throw new InvariantError("resource-work", `work of ${ns} ns and ${bytes} bytes`);
}
