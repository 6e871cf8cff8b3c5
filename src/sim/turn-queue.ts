import type { Turns } from "../trace/request-table.ts";

/** Requests that wait until others are over: turns of a conversation, requests of an agent. */
export class TurnQueue {
  private readonly turns: Turns;
  private readonly earliestNs: Float64Array;
  /** [requests] requests that each still waits for. */
  private readonly open: Uint32Array;
  /** Those that wait for request i: followers[offsets[i] .. offsets[i+1]). */
  private readonly offsets: Uint32Array;
  private readonly followers: Uint32Array;

  constructor(turns: Turns, earliestNs: Float64Array) {
    const requests = turns.offsets.length - 1;
    this.turns = turns;
    this.earliestNs = earliestNs;
    this.open = Uint32Array.from({ length: requests }, (_, i) => turns.offsets[i + 1]! - turns.offsets[i]!);
    this.offsets = new Uint32Array(requests + 1);
    for (const earlier of turns.previous) this.offsets[earlier + 1]!++;
    for (let i = 0; i < requests; i++) this.offsets[i + 1]! += this.offsets[i]!;
    this.followers = new Uint32Array(turns.previous.length);
    const filled = this.offsets.slice();
    for (let i = 0; i < requests; i++)
      for (let at = turns.offsets[i]!; at < turns.offsets[i + 1]!; at++)
        this.followers[filled[turns.previous[at]!]!++] = i;
  }

  /** Whether a request waits for others in this trace, be they over or not. */
  waits(request: number): boolean {
    return this.turns.offsets[request + 1]! > this.turns.offsets[request]!;
  }

  /** A request is over: calls `arrives` for each that waited for nobody else any more, with the time of its arrival. */
  over(request: number, atNs: number, arrives: (request: number, arrivalNs: number) => void): void {
    for (let at = this.offsets[request]!; at < this.offsets[request + 1]!; at++) {
      const next = this.followers[at]!;
      if (--this.open[next]! === 0) arrives(next, Math.max(this.earliestNs[next]!, atNs + this.turns.waitNs[next]!));
    }
  }
}
