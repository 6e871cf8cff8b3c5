import { basename, relative } from "node:path";

/** Words by which this program was started, as a person types them: a command shown with them works. */
export function programWords(argv: readonly string[] = process.argv, env: NodeJS.ProcessEnv = process.env): string {
  const [, script = ""] = argv;
  if (basename(script) === "main.js") return `node ${shellWord(relative(process.cwd(), script) || script)}`;
  return env["npm_command"] === "exec" ? "npx moecast" : "moecast";
}

/** A word as a POSIX shell takes it. */
export const shellWord = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
