import { performance } from "node:perf_hooks";

/** Something that is done at most every `leastMs`, and seldom enough to take no more than one part in `parts` of the time. */
export class Ration {
  private readonly leastMs: number;
  private readonly parts: number;
  private nextMs = 0;

  constructor(leastMs: number, parts: number) {
    this.leastMs = leastMs;
    this.parts = parts;
  }

  /** Whether it may be done again. */
  isDue(): boolean {
    return performance.now() >= this.nextMs;
  }

  /** Does it, and plans the next time by how long that takes. */
  spend(what: () => void): void {
    const beganMs = performance.now();
    what();
    const endedMs = performance.now();
    this.nextMs = endedMs + Math.max(this.leastMs, (endedMs - beganMs) * this.parts);
  }
}
