import { refuse } from "../core/errors.ts";
import { localFiles } from "../files/local-files.ts";
import type { JobBase } from "../plan/job/job.ts";
import type { ScenarioChanges } from "./load-scenario.ts";

/** What all runs over a scenario file have in common. Threads load plugins by their files, so they take no values. */
export async function jobBase(
  path: string,
  { settings = [], params = {}, plugins = [] }: ScenarioChanges,
): Promise<JobBase> {
  const { pluginFile } = await import("../plugin/load-plugin.ts");
  const files = [];
  for (const [i, plugin] of plugins.entries()) {
    if (typeof plugin !== "string")
      refuse({ at: `plugins[${i}]`, expected: "the path of a file: threads load it anew", found: plugin.name });
    files.push(await pluginFile(plugin));
  }
  return {
    file: path,
    text: await localFiles.readText(path),
    settings,
    params,
    ...(files.length === 0 ? {} : { plugins: files }),
  };
}
