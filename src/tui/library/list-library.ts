import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { oneLine } from "../../core/printable.ts";
import { emptyLibrary, type Library, type ScenarioEntry } from "./library.ts";
import { listPlans } from "./list-plans.ts";

/** The scenarios that come with the program. */
const bundledFolder = fileURLToPath(new URL("../../../scenarios/", import.meta.url));

/** Own scenarios of a folder at most: more would be somebody's data. */
const ownMax = 200;

/** Scenario files of a folder and of the folders in it, by name. */
async function yamlFiles(folder: string, deep: boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: deep, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The quickstart first: it is what a new user runs. */
const byImportance = (a: string, b: string): number =>
  Number(b.endsWith("quickstart.yaml")) - Number(a.endsWith("quickstart.yaml")) ||
  a.split(/[\\/]/).length - b.split(/[\\/]/).length ||
  (a < b ? -1 : 1);

/** What the home screen lists at once: files by name. */
export async function listLibrary(folder: string): Promise<Library> {
  const own = [...(await yamlFiles(folder, false)), ...(await yamlFiles(join(folder, "scenarios"), true))];
  const bundled = await yamlFiles(bundledFolder, true);
  const known = new Set(bundled.map((file) => resolve(file)));
  const entry = (file: string, isBundled: boolean): ScenarioEntry => ({
    file: isBundled ? shorter(file, folder) : relative(folder, file),
    shown: oneLine(isBundled ? relative(bundledFolder, file) : relative(folder, file)),
    bundled: isBundled,
    name: null,
    description: null,
  });
  return {
    ...emptyLibrary,
    plans: await listPlans(folder),
    scenarios: [
      ...own
        .filter((file) => !known.has(resolve(file)))
        .slice(0, ownMax)
        .map((file) => entry(file, false)),
      ...bundled.sort(byImportance).map((file) => entry(file, true)),
    ],
  };
}

/** A path from the folder where that is below it. */
function shorter(file: string, folder: string): string {
  const path = relative(folder, file);
  return path.startsWith("..") ? file : path;
}
