import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const root = join(import.meta.dirname, "..", "..");

/** The built command line. Tests of several files share one build, which is made again when a source changes. */
export function built(): string {
  const source = join(root, "src");
  const key = createHash("sha256");
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" }).sort()) {
    const { mtimeMs, size } = statSync(join(source, name));
    key.update(`${name} ${mtimeMs} ${size}\n`);
  }
  const builds = join(root, "node_modules", ".cache", "moecast-cli");
  const folder = join(builds, key.digest("hex").slice(0, 16));
  while (!existsSync(folder)) {
    const fresh = `${folder}.building`;
    mkdirSync(builds, { recursive: true });
    if (takes(fresh)) build(fresh, folder, builds);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  return join(folder, "cli", "main.js");
}

/** Builds that nobody ended are given up after so long. */
const abandonedMs = 60_000;

/** Whether this test file is the one that builds into a folder: the others wait. */
function takes(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    const since = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > abandonedMs) rmSync(folder, { recursive: true, force: true });
    return false;
  }
}

function build(fresh: string, folder: string, builds: string): void {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  writeFileSync(join(fresh, "package.json"), '{ "type": "module" }\n');
  // Types are checked elsewhere; without them the build takes a quarter of the time.
  const fast = ["--noCheck", "--declaration", "false", "--sourceMap", "false"];
  const made = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", fresh, ...fast], {
    cwd: root,
  });
  if (made.status !== 0) {
    rmSync(fresh, { recursive: true });
    throw new Error(`the build failed:\n${String(made.stdout)}${String(made.stderr)}`);
  }
  for (const name of readdirSync(builds)) if (!name.includes(".")) rmSync(join(builds, name), { recursive: true });
  renameSync(fresh, folder);
}

/** Folder of the scenarios that commands are tried on. */
export const scenarios = join(root, "test", "fixtures", "scenarios");

/** What a command printed, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built `moecast` as a process of its own with these words in `cwd` (the folder of fixture scenarios); `during` may watch and interrupt it. */
export function spawned(
  words: readonly string[],
  options: {
    readonly cwd?: string;
    /** An open file that stdout is, instead of a pipe that is read. */
    readonly stdout?: number;
    readonly during?: (child: ChildProcess, out: () => string) => void;
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [built(), ...words], {
      cwd: options.cwd ?? scenarios,
      env: { ...process.env, FORCE_COLOR: "" },
      stdio: ["ignore", options.stdout ?? "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout?.on("data", (part) => {
      out += part;
    });
    child.stderr?.on("data", (part) => {
      err += part;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
    options.during?.(child, () => out);
  });
}

/** A folder of its own for a test file, removed after its tests. */
export function scratch(): {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, data: string | Uint8Array) => string;
} {
  const folder = mkdtempSync(join(tmpdir(), "moecast-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  return {
    folder,
    path,
    write: (name, data) => {
      writeFileSync(path(name), data);
      return path(name);
    },
  };
}
