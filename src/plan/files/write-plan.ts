import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { jsonDocument } from "../../core/json.ts";
import { writeOutput, writing } from "../../files/write-output.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { rewriteScenario } from "../../scenario/rewrite-scenario.ts";
import type { PlanCandidate, PlanDocument } from "../answer/plan-document.ts";
import type { JobBase } from "../job/job.ts";

/** Sections that ask a question; a scenario of its answer has none. */
const questions = ["plan", "sweep"];

/**
 * Writes what a plan found into a folder: `plan.json` with every candidate, and `NNN.yaml` for each deployment that was found, or the
 * closest one, in the order of the objectives. `moecast run` takes these, with the SLOs in them.
 */
export async function writePlan(
  folder: string,
  plan: PlanDocument,
  base: JobBase,
  _reader: Surroundings,
): Promise<string[]> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const written = [join(folder, "plan.json")];
  await writeOutput(written[0]!, (output) => output.append(jsonDocument(plan)));
  for (const [i, candidate] of chosenOf(plan).entries()) {
    const number = String(i + 1).padStart(3, "0");
    const target = join(folder, `${number}.yaml`);
    const text = rewriteScenario(base.text, base.file, {
      settings: [...base.settings, ...candidate.settings, ...lengthOf(candidate, plan)],
      params: base.params,
      target,
      name: `${plan.scenario.name}-${number}`,
      description: candidate.name,
      without: questions,
      comment: commentOf(candidate, plan),
    });
    await writeOutput(target, (output) => output.append(text));
    written.push(target);
  }
  return written;
}

/** What was found, each once, or else what comes closest. */
export function chosenOf({ objectives, candidates }: PlanDocument): PlanCandidate[] {
  const ids = objectives.flatMap(({ found, closest }) =>
    found.length > 0 ? found.map(({ id }) => id) : closest === null ? [] : [closest.id],
  );
  return [...new Set(ids)].map((id) => candidates.find((candidate) => candidate.id === id)!);
}

/** A run that had to be longer to tell is as long again. */
const lengthOf = ({ requests }: PlanCandidate, { traffic }: PlanDocument): string[] =>
  requests > traffic.requests ? [`traffic.requests=${requests}`] : [];

function commentOf({ id, status, reason }: PlanCandidate, { scenario, moecastVersion }: PlanDocument): string[] {
  return [
    `Candidate ${id} of a plan for ${scenario.name} by moecast ${moecastVersion}: ${status}.`,
    ...(reason === null ? [] : reason.split("\n")),
  ];
}
