import { readFileSync } from "node:fs";
import { localFiles } from "../src/files/local-files.ts";
import { detailsOf } from "../src/forecast/details/run-details.ts";
import { runScenario } from "../src/forecast/forecast-scenario.ts";
import { LiveRun } from "../src/forecast/live/live-run.ts";
import type { JobBase } from "../src/plan/job/job.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";
import type { RunView } from "../src/sim/outcome/run-view.ts";
import type { EngineReport } from "../src/tui/engine/messages.ts";

/** A scenario of the repository with settings, as the screens are given it. */
export const requestOf = (file: string, settings: readonly string[] = []): JobBase => ({
  file,
  text: readFileSync(file, "utf8"),
  settings,
  params: {},
});

/** Real time that a batch of steps is said to take. */
const batchMs = 100;
/** More than an example has: no part stands for all. */
const leastSample = 100;

/**
 * What an engine thread says of a run, from its first snapshot to its end: the same each time, as snapshots follow one another by
 * steps and not by the clock.
 */
export async function reportsOf(id: number, request: JobBase, batchSteps = 32): Promise<readonly EngineReport[]> {
  const { file, text, settings, params } = request;
  const scenario = parseScenario(text, file, { settings, params });
  const reports: EngineReport[] = [];
  let view: RunView | null = null;
  let live: LiveRun | null = null;
  const wallMs = () => (reports.length + 1) * batchMs;
  const { forecast } = await runScenario(scenario, {
    ...localFiles,
    watch: {
      batchSteps: () => batchSteps,
      onBatch: (run) => {
        view = run;
        live ??= new LiveRun(scenario, run);
        reports.push({ kind: "snapshot", id, snapshot: live.snapshot(), wallMs: wallMs(), leastSample });
      },
      giveWay: () => Promise.resolve(),
    },
  });
  return [...reports, { kind: "finished", id, forecast, details: detailsOf(view!), wallMs: wallMs(), leastSample }];
}
