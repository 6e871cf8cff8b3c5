import { sectionsOf } from "../../scenario/sections-of.ts";
import type { Executor } from "../execute/executor.ts";
import type { JobBase, Outcome } from "../job/job.ts";
import { scenarioOf } from "../job/job-policies.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { Rung } from "../search/rungs.ts";
import { untilTold } from "../search/until-told.ts";

/** What is run today, under the load and with the SLOs of the question. */
export interface Baseline {
  readonly file: string;
  readonly devices: number | null;
  readonly usdPerHour: number | null;
  readonly outcome: Outcome;
}

/** Sections of a question that whatever it is compared with has to face. */
const faced = ["traffic", "routing", "slo", "seed", "warmup"];

/**
 * Another scenario under the load of the question, or the one of the question as it stands. Throws InvalidInputError for one that is
 * no scenario.
 */
export async function baselineJob(question: JobBase, other: Pick<JobBase, "file" | "text"> | null): Promise<JobBase> {
  if (other === null) return question;
  const { plugins } = question;
  const base = {
    ...other,
    settings: sectionsOf(question.text, question.file, question, faced),
    params: {},
    ...(plugins === undefined ? {} : { plugins }),
  };
  await scenarioOf(base);
  return base;
}

/** Runs what {@link baselineJob} gave, as long as it takes to tell whether it keeps up. */
export async function runBaseline(
  base: JobBase,
  rungs: readonly Rung[],
  executor: Executor,
  signal?: AbortSignal,
): Promise<Baseline> {
  const [told] = await untilTold(rungs, [[]], async ([settings]) => {
    const outcomes: Outcome[] = [];
    const job = { key: "baseline", settings: settings! };
    await executor.run(base, [job], (_job, outcome) => void outcomes.push(outcome), signal);
    return outcomes;
  });
  const came = told!.outcome;
  const of = (name: string): number | null => (came.status === "done" ? figureOf(came, name) : null);
  return { file: base.file, devices: of("devices"), usdPerHour: of("usdPerHour"), outcome: came };
}
