import { invoke } from "../../src/cli/invoke.ts";
import { type Ended, scenarios } from "./command.ts";

let before: Promise<unknown> = Promise.resolve();

/**
 * Runs `moecast` inside the test's process, which takes a fraction of the time; one command after another, as they share
 * stdout and the working folder.
 */
export function moecast(words: readonly string[], options: { readonly cwd?: string } = {}): Promise<Ended> {
  const run = before.then(() => captured(words, options.cwd ?? scenarios));
  before = run.catch(() => {});
  return run;
}

async function captured(words: readonly string[], folder: string): Promise<Ended> {
  const ended = { out: "", err: "" };
  const { stdout, stderr } = process;
  const outWrite = stdout.write.bind(stdout);
  const errWrite = stderr.write.bind(stderr);
  const home = process.cwd();
  stdout.write = (part: unknown) => {
    ended.out += String(part);
    return true;
  };
  stderr.write = (part: unknown) => {
    ended.err += String(part);
    return true;
  };
  process.chdir(folder);
  try {
    return { code: await invoke(words), signal: null, ...ended };
  } finally {
    process.chdir(home);
    stdout.write = outWrite;
    stderr.write = errWrite;
  }
}
