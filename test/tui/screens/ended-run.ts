import { readFileSync } from "node:fs";
import { localFiles } from "../../../src/files/local-files.ts";
import { type DetailsSoFar, detailsSoFar } from "../../../src/forecast/details/details-so-far.ts";
import { detailsOf, type RunDetails } from "../../../src/forecast/details/run-details.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { LiveRun, type LiveSnapshot } from "../../../src/forecast/live/live-run.ts";
import type { Size } from "../../../src/report/widgets/styled-text.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import type { RunView } from "../../../src/sim/outcome/run-view.ts";
import { emptyLibrary } from "../../../src/tui/library/library.ts";
import type { AnyScreen } from "../../../src/tui/screens/screen.ts";
import { firstState } from "../../../src/tui/state/app-state.ts";
import type { Core } from "../../../src/tui/state/core.ts";
import { newRecord, type RunRecord } from "../../../src/tui/state/run-record.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";

/** A run of a bundled scenario, as the engine tells of it: at its first batch, after its first steps, and at its end. */
export interface EndedRun {
  readonly forecast: Forecast;
  readonly details: RunDetails;
  readonly snapshot: LiveSnapshot;
  readonly begun: DetailsSoFar;
}

export async function endedRun(file: string, settings: readonly string[]): Promise<EndedRun> {
  const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings, params: {} });
  let view: RunView | null = null;
  let snapshot: LiveSnapshot | null = null;
  let begun: DetailsSoFar | null = null;
  const forecast = await forecastScenario(scenario, {
    ...localFiles,
    watch: {
      batchSteps: () => 200,
      onBatch: (run, resolved) => {
        view = run;
        snapshot ??= new LiveRun(scenario, run).snapshot();
        if (run.steps > 0) begun ??= detailsSoFar(run, resolved);
      },
      giveWay: async () => {},
    },
  });
  return { forecast, details: detailsOf(view!), snapshot: snapshot!, begun: begun! };
}

const request = { file: "scenarios/test.yaml", text: "", settings: [], params: {} };

/** What screens see of a run, of size 80x24. */
export function coreOf(run: Partial<RunRecord> | null, size: Size = { width: 80, height: 24 }): Core {
  const { core } = firstState(size, emptyLibrary, new Map());
  if (run === null) return core;
  return { ...core, runs: [{ ...newRecord(1, "test", request), stand: "done", ...run }], current: 1 };
}

/** The state of a screen after some actions. */
export function acted(
  screen: AnyScreen,
  core: Core,
  actions: readonly string[],
  from: unknown = screen.start,
): unknown {
  return actions.reduce((own, action) => screen.act(own, action, core, bodyArea(core.size)).own ?? own, from);
}
