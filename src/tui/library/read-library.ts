import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { oneLine } from "../../core/printable.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { readTextIfThere } from "../../files/read-input.ts";
import { statedValues } from "../../scenario/parse-scenario.ts";
import type { Library, ScenarioEntry } from "./library.ts";
import { readPlans } from "./saved-plans.ts";
import { savedResults } from "./saved-results.ts";

/** What the home screen lists, with what the files say. Own files that are no scenarios are left out. */
export async function readLibrary(listed: Library, folder: string, resultsFolder: string): Promise<Library> {
  const scenarios: ScenarioEntry[] = [];
  for (const entry of listed.scenarios) {
    const facts = await factsOf(resolve(folder, entry.file), entry.file);
    if (facts !== null) scenarios.push({ ...entry, ...facts });
    else if (entry.bundled) scenarios.push(entry);
    // Keys are served between files.
    await setImmediate();
  }
  return { scenarios, results: await savedResults(resultsFolder), plans: await readPlans(listed.plans, folder) };
}

/** Name and description of a scenario; null for what is none. */
async function factsOf(path: string, file: string): Promise<Pick<ScenarioEntry, "name" | "description"> | null> {
  try {
    const text = (await readTextIfThere(path, inputBytesMax.text)) ?? "";
    if (!/^traffic\s*:/m.test(text)) return null;
    const stated = statedValues(text, file) as Readonly<Record<string, unknown>>;
    const line = (value: unknown) => (typeof value === "string" ? oneLine(value) : null);
    return { name: line(stated["name"]), description: line(stated["description"]) };
  } catch {
    return null;
  }
}
