import { examplePlan } from "../../scripts/example-plan.ts";
import type { PlanDocument } from "../../src/plan/answer/plan-document.ts";
import type { JobBase } from "../../src/plan/job/job.ts";
import { smallText } from "../plan/worlds.ts";

/** A plan of real runs over a small model, with settings and parameters laid over the question. */
export const realPlan = (settings: readonly string[], params: JobBase["params"] = {}): Promise<PlanDocument> =>
  examplePlan({ file: "small.yaml", text: smallText, settings, params });
