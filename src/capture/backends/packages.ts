import { createRequire } from "node:module";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PackageResolver } from "./backend.ts";
import { BackendUnavailable } from "./unavailable.ts";

/**
 * Where `capture --setup` installs: the folder named by MOECAST_BACKENDS, else a folder of the user as the platform has it.
 * Each backend has a folder of its own in it, tfjs-core included, since a backend and its core must be one installation.
 */
export function backendsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env["MOECAST_BACKENDS"];
  if (own !== undefined && own !== "") return own;
  if (platform() === "win32")
    return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "moecast", "backends");
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "moecast", "backends");
  return join(env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "moecast", "backends");
}

/** A place packages are installed in, seen from a file in it. */
export interface Installation extends PackageResolver {
  /** What a person knows it by. */
  readonly place: string;
}

/** The places a backend may be installed in, first choice first: its folder under `root`, then beside moecast. */
export function installations(id: string, root = backendsFolder()): Installation[] {
  const folder = join(root, id);
  return [new Packages(folder, join(folder, "package.json")), new Packages("beside moecast", import.meta.url)];
}

/** The first installation that has all packages; throws BackendUnavailable with the first that is missing. */
export function findInstallation(id: string, packageNames: readonly string[], root?: string): Installation {
  const found = installations(id, root).find((place) => packageNames.every((name) => place.version(name) !== null));
  if (found !== undefined) return found;
  const beside = new Packages("", import.meta.url);
  const missing = packageNames.find((name) => beside.version(name) === null) ?? packageNames[0];
  throw new BackendUnavailable(`${id}: package ${missing} is not installed; moecast capture --setup ${id} installs it`);
}

class Packages implements Installation {
  readonly place: string;
  readonly #require: NodeJS.Require;

  constructor(place: string, from: string) {
    this.place = place;
    this.#require = createRequire(from);
  }

  async import(packageName: string): Promise<unknown> {
    const path = this.#require.resolve(packageName);
    try {
      return this.#require(packageName);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_REQUIRE_ESM") throw error;
      return import(pathToFileURL(path).href);
    }
  }

  version(packageName: string): string | null {
    // Packages with `exports` need not export their package.json: it is looked for on the paths instead.
    for (const folder of this.#require.resolve.paths(packageName) ?? [])
      try {
        const { version } = this.#require(join(folder, packageName, "package.json")) as { version?: unknown };
        if (typeof version === "string") return version;
      } catch {
        // Not in this folder.
      }
    return null;
  }
}
