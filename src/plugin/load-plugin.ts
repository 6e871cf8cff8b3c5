import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256 } from "../core/digest.ts";
import { refuse } from "../core/errors.ts";
import { localFiles } from "../files/local-files.ts";
import type { PolicyTables } from "../policy/policy-tables.ts";
import { type PluginSource, pluginTables } from "./plugin-tables.ts";
import { readPlugin } from "./read-plugin.ts";

/** A plugin by its file, as threads and keys of results know it. */
export interface PluginFile {
  /** Absolute path. */
  readonly file: string;
  readonly sha256: string;
}

/** The file of a plugin and its digest. Nothing of it is run. */
export async function pluginFile(path: string): Promise<PluginFile> {
  return { file: resolve(path), sha256: sha256(await localFiles.readText(path)) };
}

/**
 * Runs the code of a plugin file and takes what it exports by default, or its names where it has no default. The code has the rights
 * of the process.
 * @throws InvalidInputError where it cannot be loaded, is no plugin, or has changed since its digest was taken
 */
export async function loadPlugin({ file, sha256: digest }: PluginFile): Promise<PluginSource> {
  const name = basename(file);
  const now = await pluginFile(file);
  if (now.sha256 !== digest)
    refuse({ file: name, expected: "the plugin that the run began with", found: "another text" });
  let module: object;
  try {
    // A file that has changed in between is another module.
    module = (await import(`${pathToFileURL(file).href}?sha256=${digest}`)) as object;
  } catch (error) {
    const { stack = "" } = error instanceof Error ? error : {};
    refuse({
      file: name,
      expected: "an ECMAScript module that Node can load",
      found: String(error),
      below: stack
        .split("\n")
        .filter((line) => line.includes(name))
        .slice(0, 3),
    });
  }
  const value: unknown = "default" in module ? module.default : { ...module };
  return { plugin: readPlugin(value, name), file: { name, sha256: digest } };
}

/** The policies of moecast and those of plugin files. */
export async function loadPluginTables(files: readonly PluginFile[]): Promise<PolicyTables> {
  const sources: PluginSource[] = [];
  for (const file of files) sources.push(await loadPlugin(file));
  return pluginTables(sources);
}
