import { loadPluginTables, type PluginFile, pluginFile } from "../plugin/load-plugin.ts";
import { builtInPolicies, type PolicyTables } from "../policy/policy-tables.ts";

/** The plugin files of a command line, with their digests. */
export const pluginFiles = (paths: readonly string[] = []): Promise<PluginFile[]> => Promise.all(paths.map(pluginFile));

/** The policies that scenarios of a command may name. */
export const policiesWith = async (paths: readonly string[] = []): Promise<PolicyTables> =>
  paths.length === 0 ? builtInPolicies : loadPluginTables(await pluginFiles(paths));
