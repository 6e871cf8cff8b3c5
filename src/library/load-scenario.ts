import { localFiles } from "../files/local-files.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { PolicyTables } from "../policy/policy-tables.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";

/** What is laid over a scenario file, as the options of the command line are. */
export interface ScenarioChanges {
  /** `path=value` each, such as `policy.offload.slots=4`; later ones win. */
  readonly settings?: readonly string[];
  /** Values of the parameters in file paths, by name; relative ones start at the scenario's folder. */
  readonly params?: Readonly<Record<string, string>>;
  /** Policies of your own that it may name: plugins, or paths of their files, which are run. */
  readonly plugins?: readonly (Plugin | string)[];
}

/**
 * Reads a scenario file and checks all of it.
 * @throws InvalidInputError with every problem and its place
 * @stable
 */
export async function loadScenario(path: string, changes: ScenarioChanges = {}): Promise<Scenario> {
  const { settings = [], params = {}, plugins = [] } = changes;
  const policies = await tablesOf(plugins);
  const { parseScenario } = await import("../scenario/parse-scenario.ts");
  return parseScenario(await localFiles.readText(path), path, { settings, params, policies });
}

/** The policies of moecast and those of plugins. */
export async function tablesOf(plugins: readonly (Plugin | string)[]): Promise<PolicyTables> {
  const { loadPlugin, pluginFile } = await import("../plugin/load-plugin.ts");
  const { pluginTables } = await import("../plugin/plugin-tables.ts");
  const sources = [];
  for (const plugin of plugins)
    sources.push(typeof plugin === "string" ? await loadPlugin(await pluginFile(plugin)) : { plugin });
  return pluginTables(sources);
}
