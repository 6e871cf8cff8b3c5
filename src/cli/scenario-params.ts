import { dirname, isAbsolute, relative, resolve } from "node:path";
import { fromScenario } from "../scenario/file-path.ts";
import type { Io } from "./io.ts";

/**
 * Values of `--param` for one scenario. A relative path starts at the scenario's folder, as those in the scenario do; where
 * nothing is there, but something is at the same path from the shell's folder, that is meant.
 */
export async function paramsFor(
  scenarioFile: string,
  params: Readonly<Record<string, string>>,
  io: Pick<Io, "whatIs">,
): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(params).map(async ([name, path]) => {
      if (isAbsolute(path) || (await io.whatIs(fromScenario(scenarioFile, path))) !== "nothing") return [name, path];
      if ((await io.whatIs(path)) === "nothing") return [name, path];
      return [name, relative(resolve(dirname(scenarioFile)), resolve(path))];
    }),
  );
  return Object.fromEntries(found);
}
