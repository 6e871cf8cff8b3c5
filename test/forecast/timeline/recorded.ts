import { always, type TimeWindow } from "../../../src/forecast/timeline/span-store.ts";
import type { Timeline } from "../../../src/forecast/timeline/timeline.ts";
import { TimelineRecorder } from "../../../src/forecast/timeline/timeline-recorder.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import type { RunView } from "../../../src/sim/outcome/run-view.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { Simulation } from "../../../src/sim/simulation.ts";

export interface Recorded {
  readonly run: RunView;
  readonly result: RunResult;
  readonly timeline: Timeline;
}

/** A run to its end, and its timeline. */
export function recorded(config: SimConfig, window: TimeWindow = always, spansMax = 2_000_000): Recorded {
  const recorder = new TimelineRecorder(window, spansMax);
  const run = new Simulation(config, undefined, undefined, recorder.follow);
  recorder.watch(run);
  while (!run.advance(10_000));
  return { run, result: run.result(), timeline: recorder.timeline() };
}
