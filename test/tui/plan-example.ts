import { localFiles } from "../../src/files/local-files.ts";
import type { PlanDocument } from "../../src/plan/answer/plan-document.ts";
import type { Executor } from "../../src/plan/execute/executor.ts";
import { runJob } from "../../src/plan/job/run-job.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { planQuestion } from "../../src/plan/space/question.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { smallText } from "../plan/worlds.ts";

/** Runs jobs one after another, in this thread. */
const here: Executor = {
  run: async (base, jobs, sink) => {
    for (const job of jobs) await sink(job, await runJob(base, job, localFiles));
  },
  close: async () => {},
};

/** A plan of real runs over a small model, with settings laid over the question. */
export async function realPlan(settings: readonly string[]): Promise<PlanDocument> {
  const base = { file: "small.yaml", text: smallText, settings, params: {} };
  return makePlan(await planQuestion(parseScenario(base.text, base.file, { settings })), base, {
    ...localFiles,
    executor: here,
    journal: null,
    exhaustive: false,
    baseline: null,
  });
}
