import { z } from "zod";
import { InvalidInputError } from "../core/errors.ts";
import { issuePerPlace } from "../core/issue-per-place.ts";
import { issuesOfFitting } from "../core/union-issues.ts";
import { expandPaths } from "./file-path.ts";
import { knownKeys, scenarioJsonSchema } from "./json-schema.ts";
import { modelSection } from "./model-section.ts";
import type { Scenario } from "./parse-scenario.ts";
import { schemaProblems } from "./schema-problems.ts";
import { plainValue, readYaml } from "./yaml-source.ts";

/** What a scenario says of its model. */
export type ScenarioModel = Pick<Scenario, "model" | "file" | "place">;

const onlyModel = z.object({ model: modelSection });

/** The model of a scenario, or of a file that holds a `model` section and nothing else. Other sections are not read. */
export function parseModel(text: string, file: string): ScenarioModel {
  const source = readYaml(text, file);
  const plain = plainValue(source);
  const expanded = expandPaths(plain.value, {}, source);
  const unreadable = [...plain.problems, ...expanded.problems].filter(({ at }) => at?.startsWith("model") === true);
  const result = onlyModel.safeParse(expanded.value);
  const issues = result.success ? [] : issuePerPlace(issuesOfFitting(result.error.issues));
  const keysAt = (path: readonly (string | number)[]) => knownKeys(scenarioJsonSchema(), expanded.value, path);
  const problems = [...unreadable, ...schemaProblems(issues, expanded.value, source, keysAt)];
  if (!result.success || problems.length > 0) throw new InvalidInputError(problems);
  return { model: result.data.model, file, place: (path) => source.place(path, "value") };
}
