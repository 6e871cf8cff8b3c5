import { performance } from "node:perf_hooks";

/** A batch of steps takes about so long: a pause, or the end, is heard of by then. */
const batchMs = 25;
const stepsMax = 65_536;
/** A snapshot at most so often, and seldom enough to take no more than one part in so many of the time. */
const snapshotMs = 100;
const shareOfTime = 40;

/** How many steps a run makes between two looks at it, and when it is shown. */
export class Pace {
  steps = 64;
  private readonly begunMs = performance.now();
  private batchBeganMs = performance.now();
  private nextShownMs = 0;
  private stillMs = 0;

  /** Time since the beginning, without that in which the run stood still. */
  get wallMs(): number {
    return performance.now() - this.begunMs - this.stillMs;
  }

  /** A batch has ended. Returns whether the run is to be shown. */
  batchDone(): boolean {
    const nowMs = performance.now();
    const tookMs = nowMs - this.batchBeganMs;
    this.steps = Math.max(1, Math.min(stepsMax, Math.round((this.steps * batchMs) / Math.max(tookMs, batchMs / 4))));
    this.batchBeganMs = nowMs;
    return nowMs >= this.nextShownMs;
  }

  /** Shows the run, and plans the next time by how long that takes. */
  showing(show: () => void): void {
    const beganMs = performance.now();
    show();
    const endedMs = performance.now();
    this.nextShownMs = endedMs + Math.max(snapshotMs, (endedMs - beganMs) * shareOfTime);
    this.batchBeganMs = endedMs;
  }

  stoodStill(ms: number): void {
    this.stillMs += ms;
    this.batchBeganMs = performance.now();
  }
}
