import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Programs that scripts start, which here print the words that they were given. */
const programs = ["vllm", "python3", "trtllm-serve", "trtllm-llmapi-launch", "llama-server", "aiperf"];

/** What people set before they start a script. */
export const settings = {
  MODEL: "some/model",
  TOKENIZER: "some/tokenizer",
  KT_WEIGHTS: "/weights",
  HEAD_ADDRESS: "10.0.0.1",
  NODE_RANK: "0",
};

export interface Outcome {
  /** The program and its words; null where none was started. */
  readonly words: readonly string[] | null;
  /** What was printed beside. */
  readonly out: string;
  readonly error: string;
  readonly status: number | null;
}

/** Runs scripts as a shell does, with programs that only say what they are told; alive as long as the test file. */
export function shell() {
  const folder = mkdtempSync(join(tmpdir(), "moecast-deploy-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of programs) {
    writeFileSync(join(bin, name), `#!/bin/sh\nfor word in ${name} "$@"; do printf '%s\\0' "$word"; done >"$SAID"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  let runs = 0;
  const run = (words: readonly string[], environment: Readonly<Record<string, string>>): Outcome => {
    const said = join(folder, `said-${runs++}`);
    writeFileSync(said, "");
    const { status, stdout, stderr } = spawnSync("/bin/sh", [...words], {
      encoding: "utf8",
      cwd: folder,
      env: { PATH: `${bin}:/usr/bin:/bin`, SAID: said, ...environment },
    });
    const text = readFileSync(said, "utf8");
    return { words: text === "" ? null : text.split("\0").slice(0, -1), out: stdout, error: stderr, status };
  };
  return {
    folder,
    /** A script file. */
    script: (path: string, environment: Readonly<Record<string, string>> = settings) => run([path], environment),
    /** The text of a script. */
    text: (text: string, environment: Readonly<Record<string, string>> = settings) => run(["-c", text], environment),
    /** What the shell objects to in a script without running it. */
    syntax: (path: string) => spawnSync("/bin/sh", ["-n", path], { encoding: "utf8" }).stderr,
  };
}
