import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { built } from "../cli/command.ts";

export interface StepOutcome {
  readonly code: number | null;
  readonly text: string;
}

/** A shell step of a workflow. */
export interface ShellStep {
  readonly run: string;
  readonly if?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Values by the paths of expressions: `inputs.tag`, `github.token`. */
export type Context = Readonly<Record<string, string>>;

/** A text with its expressions replaced, each of which is a path. */
export const withValues = (text: string, context: Context): string =>
  text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_all, path: string) => {
    const value = context[path];
    if (value === undefined) throw new Error(`no value of ${path}`);
    return value;
  });

/** Runs a script as the systems do, without blocking this process: a server in it can answer. */
export function runScript(script: string, folder: string, env: Readonly<Record<string, string>>): Promise<StepOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script], {
      cwd: folder,
      env: { ...process.env, PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += String(part)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, text }));
  });
}

/** Runs steps one after the other; after a failure only those that always run. The code of the first that failed, or 0. */
export async function runSteps(
  steps: readonly ShellStep[],
  folder: string,
  env: Readonly<Record<string, string>>,
  context: Context,
): Promise<StepOutcome> {
  let failed: number | null = 0;
  let text = "";
  for (const step of steps) {
    if (failed !== 0 && step.if?.startsWith("always()") !== true) continue;
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, withValues(value, context)]);
    const done = await runScript(step.run, folder, { ...env, ...Object.fromEntries(own) });
    text += done.text;
    if (failed === 0) failed = done.code;
  }
  return { code: failed, text };
}

/** `npm ci` needs the two files of a checkout, and `npx moecast` runs a build of the sources: what a registry gives is not tested. */
export function installStubs(folder: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const stub = (name: string, line: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  stub("npm", `[ "$1" = ci ] && [ -f package.json ] && [ -f package-lock.json ]`);
  stub("npx", `[ "$1" = moecast ] && shift && exec '${process.execPath}' '${built()}' "$@"`);
  for (const name of ["package.json", "package-lock.json"]) writeFileSync(join(folder, name), "{}\n");
}
