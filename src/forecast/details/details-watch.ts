import { giveWay } from "../../files/cooperative.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import type { SimulateHooks } from "../../sim/simulate.ts";
import type { RunWatch } from "../forecast-scenario.ts";
import type { TimelineRecorder } from "../timeline/timeline-recorder.ts";
import { detailsOf, type RunDetails } from "./run-details.ts";

/** Keeps hold of a run, for its details at the end, and has its timeline recorded where one is asked for. */
export class DetailsWatch implements RunWatch {
  private run: RunView | null = null;
  private readonly recorder: TimelineRecorder | null;
  readonly follow?: NonNullable<SimulateHooks["follow"]>;

  constructor(recorder: TimelineRecorder | null = null) {
    this.recorder = recorder;
    if (recorder !== null) this.follow = recorder.follow;
  }

  onBatch(run: RunView): void {
    this.run = run;
    this.recorder?.watch(run);
  }

  giveWay(): Promise<void> {
    return giveWay();
  }

  /** Once the forecast is there. */
  details(): RunDetails {
    const details = detailsOf(this.run!);
    return this.recorder === null ? details : { ...details, timeline: this.recorder.timeline() };
  }
}
