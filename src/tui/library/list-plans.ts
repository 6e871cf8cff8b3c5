import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { oneLine } from "../../core/printable.ts";
import type { PlanEntry } from "./library.ts";

const fileName = "plan.json";
/** Folders that are looked into: more would be somebody's data. */
const foldersMax = 200;

/** Plans of a folder and of the folders in it, by name: nothing of them is read. */
export async function listPlans(folder: string): Promise<PlanEntry[]> {
  const below = (await readdir(folder, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map(({ name }) => join(folder, name))
    .sort()
    .slice(0, foldersMax);
  const files = [folder, ...below].map((place) => join(place, fileName));
  const there = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  return files
    .filter((_, i) => there[i]?.isFile() === true)
    .map((file) => ({ file: relative(folder, file), shown: oneLine(relative(folder, file)), text: null, found: null }));
}
