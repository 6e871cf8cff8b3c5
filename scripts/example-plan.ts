import { localFiles } from "../src/files/local-files.ts";
import type { PlanDocument } from "../src/plan/answer/plan-document.ts";
import type { Executor } from "../src/plan/execute/executor.ts";
import type { JobBase } from "../src/plan/job/job.ts";
import { runJob } from "../src/plan/job/run-job.ts";
import { makePlan } from "../src/plan/make-plan.ts";
import { planQuestion } from "../src/plan/space/question.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";

/** Runs jobs one after another, in this thread. */
const here: Executor = {
  run: async (base, jobs, sink) => {
    for (const job of jobs) await sink(job, await runJob(base, job, localFiles));
  },
  close: async () => {},
};

/** The plan of a small question, of real runs: the same each time. */
export const examplePlan = async (base: JobBase): Promise<PlanDocument> =>
  makePlan(await planQuestion(parseScenario(base.text, base.file, base)), base, {
    ...localFiles,
    executor: here,
    journal: null,
    exhaustive: false,
    baseline: null,
  });
