import { localFiles } from "../src/files/local-files.ts";
import type { PlanDocument } from "../src/plan/answer/plan-document.ts";
import type { Executor } from "../src/plan/execute/executor.ts";
import type { JobBase } from "../src/plan/job/job.ts";
import { runJob } from "../src/plan/job/run-job.ts";
import { makePlan } from "../src/plan/make-plan.ts";
import { planQuestion } from "../src/plan/space/question.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";

/** A question of a dozen deployments, some of which meet the SLOs. */
export const planQuestionText = `version: 1
name: chat
model: { id: qwen3-30b-a3b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 16384 }
traffic:
  kind: generated
  requests: 100
  arrivals: { kind: closed, maxConcurrency: 64 }
  isl: { kind: lognormal, mean: 1155, p50: 1020, max: 8000 }
  osl: { kind: lognormal, mean: 60, p50: 40, max: 200 }
routing: { kind: uniform }
slo: { ttft: p(99)<2s, tpot: p(90)<30ms }
plan: { devices: [1, 2], budget: { devices: 4 } }
`;

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
