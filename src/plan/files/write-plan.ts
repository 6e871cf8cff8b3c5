import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, jsonDocument } from "../../core/json.ts";
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
  for (const [i, { candidate, load }] of chosenOf(plan).entries()) {
    const number = String(i + 1).padStart(3, "0");
    const target = join(folder, `${number}.yaml`);
    const text = rewriteScenario(base.text, base.file, {
      settings: [...base.settings, ...candidate.settings, ...load],
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

/** A deployment that is written, with the settings of its traffic. */
interface Chosen {
  readonly candidate: PlanCandidate;
  readonly load: readonly string[];
}

/** What was found, each once, or else what comes closest. */
function chosenOf({ objectives, candidates, traffic }: PlanDocument): Chosen[] {
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const chosen = objectives.flatMap(({ found, closest }): Chosen[] =>
    (found.length > 0 ? found : closest === null ? [] : [{ id: closest.id, load: [] }]).map(({ id, load }) => {
      const candidate = byId.get(id)!;
      const longer = load.length === 0 && candidate.requests > traffic.requests;
      return { candidate, load: longer ? [`traffic.requests=${candidate.requests}`] : load };
    }),
  );
  return [...new Map(chosen.map((one) => [canonicalJson([one.candidate.id, one.load]), one])).values()];
}

function commentOf({ id, status, reason }: PlanCandidate, { scenario, moecastVersion }: PlanDocument): string[] {
  return [
    `Candidate ${id} of a plan for ${scenario.name} by moecast ${moecastVersion}: ${status}.`,
    ...(reason === null ? [] : reason.split("\n")),
  ];
}
