import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Deployment, deployFiles } from "../../../src/plan/deploy/deploy.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../../../src/resolve/resolved.ts";
import { parseScenario, type Scenario, type ScenarioOptions } from "../../../src/scenario/parse-scenario.ts";

/** Bundled scenarios without data of somebody else's: those name it by a parameter. */
export const bundledScenarios: readonly string[] = readdirSync("scenarios", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => join("scenarios", name))
  .filter((file) => !/\$\{\w+\}/.test(readFileSync(file, "utf8")))
  .sort();

export interface Deployed {
  readonly scenario: Scenario;
  readonly resolved: ResolvedScenario;
  readonly deployment: Deployment;
}

/** The deployment of a scenario's text. */
export async function deployed(
  text: string,
  options: ScenarioOptions = {},
  file = "scenarios/test.yaml",
): Promise<Deployed> {
  const scenario = parseScenario(text, file, options);
  const readText = async (path: string) => readFileSync(path, "utf8");
  const resolved = await resolveScenario(scenario, { readText });
  return { scenario, resolved, deployment: deployFiles(scenario, resolved) };
}

export const deployedFile = (file: string, settings: readonly string[] = []): Promise<Deployed> =>
  deployed(readFileSync(file, "utf8"), { settings }, file);

/** The files of a deployment in a folder, as `moecast plan` writes them. */
export function writeDeployment({ files }: Deployment, folder: string): void {
  for (const { path, text, executable = false } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: executable ? 0o755 : 0o644 });
  }
}
