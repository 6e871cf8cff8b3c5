import { spawn } from "node:child_process";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { makeFolder } from "../../files/folders.ts";
import { forgotten, temporary } from "../../files/temporaries.ts";
import type { BackendModule } from "./backend.ts";
import { backendNamed } from "./backends.ts";
import { backendsFolder, installations } from "./packages.ts";
import { BackendUnavailable } from "./unavailable.ts";

/** What a setup did. */
export interface SetupResult {
  readonly folder: string;
  /** Whether all packages were there already. */
  readonly present: boolean;
}

/** What to do where the installation of a backend fails for a reason of its own. */
const advice: Readonly<Record<string, string>> = {
  tensorflow:
    "its install script downloads TensorFlow 2.9 with CUDA 11; where that cannot be had, or for a newer GPU, build it from " +
    "a TensorFlow wheel with scripts/build-tensorflow-backend.ts of moecast's repository",
};

/**
 * Installs the packages of a backend with npm into its folder under {@link backendsFolder}. They are installed beside it
 * first and moved there when complete, so that a failure leaves nothing. `say` hears what is done.
 */
export async function setUpBackend(
  id: string,
  say: (line: string) => void,
  root = backendsFolder(),
  npm: readonly string[] = npmCommand(),
): Promise<SetupResult> {
  const backend: BackendModule = backendNamed(id);
  const names = Object.keys(backend.packages);
  const [own, beside] = installations(id, root);
  const folder = join(root, id);
  for (const place of [own!, beside!])
    if (names.every((name) => place.version(name) !== null)) return { folder: place.place, present: true };
  const partial = `${folder}.${process.pid}.partial`;
  const packages = Object.entries(backend.packages).map(([name, version]) => `${name}@${version}`);
  say(`installing ${packages.join(", ")} into ${folder}`);
  await makeFolder(temporary(partial));
  try {
    await writeFile(join(partial, "package.json"), '{ "private": true }\n');
    await install(npm, packages, partial, id);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    forgotten(partial);
  }
  return { folder, present: false };
}

/** npm as it came with this Node, without a shell. */
function npmCommand(): readonly string[] {
  const cli = process.env["npm_execpath"];
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli)) return [process.execPath, cli];
  return process.platform === "win32" ? ["npm.cmd"] : ["npm"];
}

function install(npm: readonly string[], packages: readonly string[], folder: string, id: string): Promise<void> {
  const [command = "npm", ...first] = npm;
  const words = [...first, "install", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error", ...packages];
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    // An interrupt that reaches this process alone ends npm as well.
    const end = () => void child.kill();
    process.once("exit", end);
    let errors = "";
    child.stderr.on("data", (text: Buffer) => {
      errors = (errors + text.toString()).slice(-4000);
    });
    child.once("error", (error) => reject(new UsageError(`${command} cannot be run: ${error.message}`)));
    child.once("close", (code) => {
      process.off("exit", end);
      if (code === 0) return resolve();
      const line = errors.split("\n").find((text) => text.trim() !== "") ?? `exit code ${code}`;
      const more = advice[id] === undefined ? "" : `; ${advice[id]}`;
      reject(new BackendUnavailable(`${id}: npm cannot install it: ${line.trim()}${more}`));
    });
  });
}
