import { availableParallelism } from "node:os";
import { formatNumber, formatPercent } from "../src/core/units.ts";
import { localFiles } from "../src/files/local-files.ts";
import { JobThreads } from "../src/plan/execute/job-threads.ts";
import type { JobBase } from "../src/plan/job/job.ts";
import { makePlan } from "../src/plan/make-plan.ts";
import { planQuestion } from "../src/plan/space/question.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";
import { type Space, spaces } from "./plan-spaces.ts";

/**
 * Plans of small spaces beside what running every candidate finds: the same optimum within 2 % on all but one of them, never a
 * deployment that the exhaustive search found infeasible. `npm run check:plans -- [name...]`. Exits 1 where that does not hold.
 */

const tolerance = 0.02;
const missesMax = 1;
const candidatesMax = 300;

const threads = new JobThreads(availableParallelism());
const wanted = process.argv.slice(2);
let misses = 0;
let broken = 0;
console.log("space                   objective  candidates  runs      of  requests   of  plan / optimum  found");
for (const space of spaces.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const { plan, optimum } = await compared(space);
  const best = plan.objectives[0]!.found[0];
  const exact = optimum.objectives[0]!.found[0];
  const size = plan.space.candidates;
  const ratio =
    best === undefined || exact === undefined ? null : best.value === exact.value ? 1 : best.value / exact.value;
  const same = ratio === null ? best === exact : ratio <= 1 + tolerance;
  const judged = best === undefined ? null : optimum.candidates.find(({ id }) => id === best.id)!.status;
  if (!same) misses += 1;
  if (size > candidatesMax || (judged !== null && judged !== "feasible" && plan.objectives[0]!.name !== "rate"))
    broken += 1;
  console.log(
    [
      space.name.padEnd(23),
      plan.objectives[0]!.name.padEnd(9),
      String(size).padStart(11),
      String(plan.effort.runs).padStart(5),
      String(optimum.effort.runs).padStart(7),
      String(plan.effort.requests).padStart(9),
      formatPercent(plan.effort.requests / optimum.effort.requests, 0).padStart(5),
      (ratio === null ? "none meets" : formatNumber(ratio, 5)).padStart(14),
      ` ${best === undefined ? "" : `${plan.candidates.find(({ id }) => id === best.id)!.name}, ${best.text}`}${same ? "" : " MISSED"}`,
    ].join(" "),
  );
}
await threads.close();
console.log(`${misses} optima missed, ${broken} answers wrong`);
process.exitCode = misses > missesMax || broken > 0 ? 1 : 0;

async function compared({ scenario: text, settings }: Space) {
  const base: JobBase = { file: "space.yaml", text, settings, params: {} };
  const question = await planQuestion(parseScenario(text, base.file, base));
  const deps = { ...localFiles, executor: threads, journal: null, baseline: null, searchOnly: true };
  return {
    plan: await makePlan(question, base, { ...deps, exhaustive: false }),
    optimum: await makePlan(question, base, { ...deps, exhaustive: true }),
  };
}
