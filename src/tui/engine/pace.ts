import { performance } from "node:perf_hooks";
import { Ration } from "./ration.ts";

/** A batch of steps takes about so long: a pause, or the end, is heard of by then. */
const batchMs = 25;
const stepsMax = 65_536;
/** Snapshots and details at most so often; each take no more than one part in so many of the time. */
const snapshotMs = 100;
const detailsMs = 1000;
const shareOfTime = 40;

/** How many steps a run makes between two looks at it, and when it is shown. */
export class Pace {
  steps = 64;
  private readonly begunMs = performance.now();
  private batchBeganMs = performance.now();
  private readonly snapshots = new Ration(snapshotMs, shareOfTime);
  private readonly details = new Ration(detailsMs, shareOfTime);
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
    return this.snapshots.isDue();
  }

  /** Shows the run, and plans the next time by how long that takes. */
  showing(show: () => void): void {
    this.snapshots.spend(show);
    this.batchBeganMs = performance.now();
  }

  /** Whether details of the run may be told again. */
  detailsDue(): boolean {
    return this.details.isDue();
  }

  /** Tells details of the run, and plans the next time by how long that takes. */
  detailing(tell: () => void): void {
    this.details.spend(tell);
    this.batchBeganMs = performance.now();
  }

  stoodStill(ms: number): void {
    this.stillMs += ms;
    this.batchBeganMs = performance.now();
  }
}
