import { sectionsOf } from "../../scenario/sections-of.ts";
import type { Executor } from "../execute/executor.ts";
import type { JobBase, Outcome } from "../job/job.ts";
import { figureOf } from "../objectives/figure-of.ts";

/** What is run today, under the load and with the SLOs of the question. */
export interface Baseline {
  readonly file: string;
  readonly devices: number | null;
  readonly usdPerHour: number | null;
  readonly outcome: Outcome;
}

/** Sections of a question that whatever it is compared with has to face. */
const faced = ["traffic", "routing", "slo", "seed", "warmup"];

/** Runs another scenario, or the one of the question as it stands, under the load of the question. */
export async function runBaseline(
  question: JobBase,
  other: Pick<JobBase, "file" | "text"> | null,
  executor: Executor,
  signal?: AbortSignal,
): Promise<Baseline> {
  const base: JobBase =
    other === null
      ? question
      : { ...other, settings: sectionsOf(question.text, question.file, question, faced), params: {} };
  const outcomes: Outcome[] = [];
  await executor.run(base, [{ key: "baseline", settings: [] }], (_job, came) => void outcomes.push(came), signal);
  const came = outcomes[0]!;
  const of = (name: string): number | null => (came.status === "done" ? figureOf(came, name) : null);
  return { file: base.file, devices: of("devices"), usdPerHour: of("usdPerHour"), outcome: came };
}
