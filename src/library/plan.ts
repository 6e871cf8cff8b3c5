import { availableParallelism } from "node:os";
import { localFiles } from "../files/local-files.ts";
import type { PlanDocument } from "../plan/answer/plan-document.ts";
import { jobBase } from "./job-base.ts";
import type { ScenarioChanges } from "./load-scenario.ts";

/** How a plan is made. */
export interface PlanOptions extends ScenarioChanges {
  readonly signal?: AbortSignal;
  /** Called with the deployments that are settled, of all. */
  readonly onProgress?: (settled: number, total: number) => void;
  /** Threads that run deployments; default as many as processors. */
  readonly threads?: number;
  /** Whether every deployment that bounds let pass is run over all requests. Default false. */
  readonly exhaustive?: boolean;
  /** A scenario file to compare with. */
  readonly baseline?: string;
}

/**
 * Answers the question of a scenario's `plan` section, as `moecast plan --json` does. Nothing is written.
 * @throws InfeasibleError for a space without a deployment
 * @experimental
 */
export async function plan(path: string, options: PlanOptions = {}): Promise<PlanDocument> {
  const { signal, onProgress, threads = availableParallelism(), exhaustive = false, baseline, ...changes } = options;
  const [{ makePlan }, { planQuestion }, { JobThreads }, { KeptTables }, { scenarioOf }] = await Promise.all([
    import("../plan/make-plan.ts"),
    import("../plan/space/question.ts"),
    import("../plan/execute/job-threads.ts"),
    import("../plan/execute/kept-tables.ts"),
    import("../plan/job/job-policies.ts"),
  ]);
  const base = await jobBase(path, changes);
  const question = await planQuestion(await scenarioOf(base));
  const executor = new JobThreads(threads);
  try {
    return await makePlan(question, base, {
      ...localFiles,
      tables: new KeptTables(),
      executor,
      journal: null,
      exhaustive,
      baseline: baseline === undefined ? null : { file: baseline, text: await localFiles.readText(baseline) },
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  } finally {
    await executor.close();
  }
}
