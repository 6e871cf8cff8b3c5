import type { CallLog, ExpertCache } from "./expert-cache.ts";

const initialAccesses = 1024;

/**
 * Records the calls of a run for replay afterwards, up to a number of accesses. The first call that does not fit ends
 * the recording, so the log is a gapless prefix of the run.
 */
export class CallLogRecorder {
  readonly #accessesMax: number;
  #keys: Uint32Array;
  #starts = new Uint32Array(initialAccesses);
  #calls = 0;
  #stopped = false;
  /** Accesses recorded that hit. */
  hits = 0;

  constructor(accessesMax: number) {
    this.#accessesMax = accessesMax;
    this.#keys = new Uint32Array(Math.min(initialAccesses, accessesMax));
  }

  /** Whether a call, and all after it, had to be left out. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get accesses(): number {
    return this.#starts[this.#calls]!;
  }

  /** Records one call, of which `hits` experts hit. */
  record(keys: Uint32Array, from: number, to: number, hits: number): void {
    const end = this.accesses + to - from;
    if (this.#stopped || end > this.#accessesMax) {
      this.#stopped = true;
      return;
    }
    if (end > this.#keys.length) this.#keys = grown(this.#keys, end, this.#accessesMax);
    if (this.#calls + 2 > this.#starts.length) this.#starts = grown(this.#starts, this.#calls + 2, Infinity);
    for (let i = from, at = this.accesses; i < to; i++, at++) this.#keys[at] = keys[i]!;
    this.#starts[++this.#calls] = end;
    this.hits += hits;
  }

  /** The calls recorded so far; a view that later records do not change. */
  toLog(): CallLog {
    return {
      keys: this.#keys.subarray(0, this.accesses),
      starts: this.#starts.subarray(0, this.#calls + 1),
      calls: this.#calls,
    };
  }
}

function grown(array: Uint32Array, needed: number, most: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.min(most, Math.max(needed, 2 * array.length)));
  larger.set(array);
  return larger;
}

/** Hits and misses of a log; they sum to the accesses. */
export interface ReplayCounts {
  readonly accesses: number;
  readonly hits: number;
  readonly misses: number;
}

/** Serves every call of a log in order. The cache keeps its state from before, if any. */
export function replayLog(log: CallLog, cache: ExpertCache): ReplayCounts {
  const { keys, starts, calls } = log;
  const hit = new Uint8Array(longestCall(log));
  let hits = 0;
  for (let call = 0; call < calls; call++) hits += cache.call(keys, starts[call]!, starts[call + 1]!, hit);
  const accesses = starts[calls]! - starts[0]!;
  return { accesses, hits, misses: accesses - hits };
}

function longestCall(log: CallLog): number {
  let longest = 0;
  for (let call = 0; call < log.calls; call++) longest = Math.max(longest, log.starts[call + 1]! - log.starts[call]!);
  return longest;
}
