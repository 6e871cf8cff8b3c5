import { availableParallelism } from "node:os";
import { refuse } from "../core/errors.ts";
import type { SweepResult } from "../plan/sweep/run-sweep.ts";
import { jobBase } from "./job-base.ts";
import type { ScenarioChanges } from "./load-scenario.ts";

/** How a sweep is run. */
export interface SweepOptions extends ScenarioChanges {
  /** Values by path: every combination is run. Over those of the scenario's `sweep` section. */
  readonly vary?: Readonly<Record<string, readonly (string | number | boolean | object)[]>>;
  /** Where outcomes are kept: the same call goes on where it ended. Default a folder under `sweeps`, named after what is run. */
  readonly folder?: string;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs the configurations of a scenario, as `moecast sweep` does, and writes its tables.
 * @throws InvalidInputError where no configuration is a scenario, OutputError where the folder cannot be written
 * @experimental
 */
export async function sweep(path: string, options: SweepOptions): Promise<SweepResult> {
  const { vary = {}, folder = null, threads = availableParallelism(), signal, onProgress, ...changes } = options;
  const [{ runSweep }, { readDesign }, { checkDesign, pathsOf }, { JobThreads }, { scenarioOf }, { yamlText }] =
    await Promise.all([
      import("../plan/sweep/run-sweep.ts"),
      import("../plan/design/read-design.ts"),
      import("../plan/design/design.ts"),
      import("../plan/execute/job-threads.ts"),
      import("../plan/job/job-policies.ts"),
      import("../scenario/settings.ts"),
    ]);
  const base = await jobBase(path, changes);
  const { sweep: section } = await scenarioOf(base);
  const words = Object.entries(vary).map(([key, values]) => `${key}=${values.map(yamlText).join(",")}`);
  const design = readDesign(section, { vary: words, ranges: [], points: null, seed: null });
  if (pathsOf(design).length === 0)
    refuse({ at: "vary", expected: "what to vary, here or in the sweep section of the scenario" });
  checkDesign(design);
  const executor = new JobThreads(threads);
  try {
    return await runSweep(
      { base, design, folder, shard: null },
      {
        executor,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    );
  } finally {
    await executor.close();
  }
}
