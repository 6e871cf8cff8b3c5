import { chmod, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canonicalJson, jsonDocument } from "../../core/json.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";
import { writing } from "../../files/write-output.ts";
import type { PolicyTables } from "../../policy/policy-tables.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import { parseScenario } from "../../scenario/parse-scenario.ts";
import { rewriteScenario } from "../../scenario/rewrite-scenario.ts";
import type { PlanCandidate, PlanDocument } from "../answer/plan-document.ts";
import { standingLoad } from "../answer/standing-load.ts";
import { deployFiles } from "../deploy/deploy.ts";
import type { JobBase } from "../job/job.ts";
import { policiesOf } from "../job/job-policies.ts";
import { makeFolder, writeText } from "./folder.ts";

/** Sections that ask a question; a scenario of its answer has none. */
const questions = ["plan", "sweep"];

/** What the scenarios of plans begin with. */
const firstWords = "# Candidate ";

/** Characters of the scenario's name that leave room for a number in a name. */
const nameMax = 190;

/** What was written for a deployment, and what its engine cannot be told. */
export interface WrittenDeployment {
  readonly scenario: string;
  readonly folder: string;
  readonly refused: readonly { readonly choice: string; readonly reason: string }[];
}

/**
 * Writes what a plan found into a folder: `plan.json` with every candidate; `NNN.yaml` for each deployment that was found, or the
 * closest one, in the order of the objectives, which `moecast run` takes with the SLOs in it; and in `deploy/NNN/<engine>` the files
 * that start and measure it.
 */
export async function writePlan(
  folder: string,
  plan: PlanDocument,
  base: JobBase,
  reader: Surroundings,
): Promise<WrittenDeployment[]> {
  await makeFolder(folder);
  await writeText(join(folder, "plan.json"), jsonDocument(plan));
  const policies = await policiesOf(base);
  const written: WrittenDeployment[] = [];
  for (const [i, { candidate, load }] of chosenOf(plan).entries()) {
    const number = String(i + 1).padStart(3, "0");
    const target = join(folder, `${number}.yaml`);
    const text = rewriteScenario(base.text, base.file, {
      settings: [...base.settings, ...candidate.settings, ...load],
      params: base.params,
      target,
      name: `${plan.scenario.name.slice(0, nameMax)}-${number}`,
      description: candidate.name,
      without: questions,
      comment: commentOf(candidate, plan),
    });
    await writeText(target, text);
    written.push(await writeDeployment(join(folder, "deploy", number), target, text, { reader, policies }));
  }
  await removeEarlier(folder, written.length);
  return written;
}

/** Removes scenarios of an earlier plan with more of them: a CI that runs all of the folder would test what was not found. */
async function removeEarlier(folder: string, kept: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!/^\d{3}\.yaml$/.test(name) || Number.parseInt(name, 10) <= kept) continue;
    const text = await readTextIfThere(path, inputBytesMax.text);
    if (text?.startsWith(firstWords) === true) await writing(path, () => rm(path));
  }
}

/** Writes the files that start a scenario and measure it. */
async function writeDeployment(
  folder: string,
  file: string,
  text: string,
  { reader, policies }: { readonly reader: Surroundings; readonly policies: PolicyTables },
): Promise<WrittenDeployment> {
  const scenario = parseScenario(text, file, { policies });
  const { engine, files, refused } = deployFiles(scenario, await resolveScenario(scenario, reader));
  const place = join(folder, engine);
  for (const { path, text: content, executable } of files) {
    const target = join(place, path);
    await makeFolder(dirname(target));
    await writeText(target, content);
    if (executable === true) await writing(target, () => chmod(target, 0o755));
  }
  return { scenario: file, folder: place, refused };
}

/** A deployment that is written, with the settings of its traffic. */
interface Chosen {
  readonly candidate: PlanCandidate;
  readonly load: readonly string[];
}

/** What was found, each once, or else what comes closest. */
function chosenOf(plan: PlanDocument): Chosen[] {
  const { objectives, candidates } = plan;
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const chosen = objectives.flatMap(({ found, closest }): Chosen[] =>
    (found.length > 0 ? found : closest === null ? [] : [{ id: closest.id, load: [] }]).map(({ id, load }) => {
      const candidate = byId.get(id)!;
      return { candidate, load: standingLoad(plan, candidate, load) };
    }),
  );
  return [...new Map(chosen.map((one) => [canonicalJson([one.candidate.id, one.load]), one])).values()];
}

function commentOf({ id, status, reason }: PlanCandidate, { scenario, moecastVersion }: PlanDocument): string[] {
  return [
    `${firstWords.slice(2)}${id} of a plan for ${scenario.name} by moecast ${moecastVersion}: ${status}.`,
    ...(reason === null ? [] : reason.split("\n")),
  ];
}
