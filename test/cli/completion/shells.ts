import { spawnSync } from "node:child_process";

/** Whether a shell is installed here. */
export const hasShell = (name: string): boolean => spawnSync(name, ["-c", "true"]).status === 0;

/** Output of a shell that runs a script in a folder, without the settings of whoever runs the tests. */
export function shellOutput(shell: readonly string[], script: string, cwd: string): string {
  const [program = "", ...words] = shell;
  const { stdout, stderr, status } = spawnSync(program, [...words, "-c", script], {
    cwd,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, LANG: "C.UTF-8", TERM: "dumb" },
    maxBuffer: 1 << 26,
  });
  if (status !== 0 || stderr !== "") throw new Error(`${program}: ${status}\n${stderr}`);
  return stdout;
}

/** What a shell offers behind each of some lines; their words are split at blanks, the last may be empty. */
export type Completer = (lines: readonly string[]) => string[][];

const mark = "@@@";

const offersOf = (output: string): string[][] =>
  output
    .split(`${mark}\n`)
    .slice(1)
    .map((part) => part.split("\n").filter((line) => line !== ""));

const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** bash, through the function that complete -F names. */
export const bashCompleter =
  (script: string, cwd: string): Completer =>
  (lines) => {
    const calls = lines.map((line) => {
      const words = line.split(" ");
      return `COMP_WORDS=(${words.map(word).join(" ")}); COMP_CWORD=${words.length - 1}; _moecast; echo ${mark}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    });
    return offersOf(shellOutput(["bash", "--norc"], [`source ${word(script)}`, ...calls].join("\n"), cwd));
  };

/** zsh, with the builtins that only work in its line editor replaced by ones that print. */
export const zshCompleter =
  (script: string, cwd: string): Completer =>
  (lines) => {
    const stubs = `
compdef() { : }
compadd() { while [[ $# -gt 0 && "$1" != -- ]]; do shift; done; shift; print -rl -- "$@" }
_describe() { local name="\${@[-1]}"; local one; for one in "\${(@P)name}"; do print -r -- "\${\${one/(#b)([^:\\\\\\\\])*/$one}%%:*}"; done }
_files() { print -r -- "FILES $*" }
compset() { : }
`;
    const calls = lines.map(
      (line) => `words=(${line.split(" ").map(word).join(" ")}); CURRENT=$#words; print ${mark}; _moecast`,
    );
    const all = ["setopt extendedglob", stubs, `source ${word(script)}`, ...calls, "true"].join("\n");
    return offersOf(shellOutput(["zsh", "-f"], all, cwd));
  };

/** fish, as it completes a command line. */
export const fishCompleter =
  (script: string, cwd: string): Completer =>
  (lines) => {
    const calls = lines.map((line) => `echo ${mark}; complete -C ${word(line)}`);
    const output = shellOutput(["fish", "--no-config"], [`source ${word(script)}`, ...calls].join("\n"), cwd);
    return offersOf(output).map((offers) => offers.map((line) => line.split("\t")[0] ?? ""));
  };
