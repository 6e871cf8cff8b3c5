import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CommandNode, commandTree, nodesOf } from "../../../src/cli/completion/command-tree.ts";
import { knownValues } from "../../../src/cli/completion/known-values.ts";
import { quoted, wordList } from "../../../src/cli/completion/shell-words.ts";
import { type ShellName, shells } from "../../../src/cli/completion/shells.ts";
import { completionScript } from "../../../src/cli/completion.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { scratch } from "../command.ts";
import { moecast } from "../in-process.ts";
import { bashCompleter, type Completer, fishCompleter, hasShell, shellOutput, zshCompleter } from "./shells.ts";

const { folder } = scratch();
const program = await buildProgram(() => {});
const tree = commandTree(program, knownValues);
const nodes = nodesOf(tree);

const names = Object.keys(shells) as ShellName[];
const scripts = Object.fromEntries(names.map((shell) => [shell, completionScript(program, shell)])) as Record<
  ShellName,
  string
>;
const files = Object.fromEntries(
  names.map((shell) => {
    const path = join(folder, `moecast.${shell}`);
    writeFileSync(path, scripts[shell]);
    return [shell, path];
  }),
) as Record<ShellName, string>;
const completers: Readonly<Record<ShellName, (script: string, cwd: string) => Completer>> = {
  bash: bashCompleter,
  zsh: zshCompleter,
  fish: fishCompleter,
};

const work = join(folder, "work");
mkdirSync(join(work, "sub"), { recursive: true });
for (const name of ["a.yaml", "b.json", "c.txt", "sp ace.yaml"]) writeFileSync(join(work, name), "");

/** The line of a command with a word behind it that is being typed. */
const line = ({ path }: CommandNode, typed: string): string =>
  ["moecast", ...(path === "" ? [] : [path]), typed].join(" ");

test.each(names)("the script for %s is under 60 kB, plain ASCII and the same twice", async (shell) => {
  const { code, out, err } = await moecast(["completion", shell]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toBe(scripts[shell]);
  expect(out.length).toBeLessThan(60_000);
  expect(out).toMatch(/^[\t\n -~]*$/);
});

test("every key of the known values is an option or a command that takes values", () => {
  const known = nodes.flatMap(({ path, options, values }) => [
    ...(values.kind === "words" ? [path] : []),
    ...options.flatMap(({ names: flags, values: one }) => (one?.kind === "words" ? [`${path} ${flags[0]}`] : [])),
  ]);
  expect(Object.keys(knownValues).filter((key) => !known.includes(key))).toEqual([]);
});

test("words that a shell would read otherwise are not written into a script", () => {
  for (const hostile of ["$(touch x)", "`id`", "a b", "a;b", "a'b", '"', "", "a\nb", "*", "~"])
    expect(() => wordList([hostile]), hostile).toThrow(/completion-words/);
});

test.runIf(hasShell("bash"))("quoted text is one word of bash, whatever it holds", () => {
  for (const text of ["it's", "$(echo x)", "`id`", "\\", "a\nb", "'; exit 3; '"])
    expect(shellOutput(["bash", "--norc"], `printf %s ${quoted(text)}`, folder)).toBe(text);
});

describe.each(names)("%s", (shell) => {
  const here = test.runIf(hasShell(shell));
  if (!hasShell(shell)) process.stderr.write(`${shell} is not installed: its completion is not tried\n`);
  const complete: Completer = (lines) => completers[shell](files[shell], work)(lines);

  here("offers every command and every option of the program", () => {
    const offered = complete(nodes.flatMap((node) => [line(node, "-"), line(node, "--"), line(node, "")]));
    for (const [i, node] of nodes.entries()) {
      const options = new Set([...offered[3 * i]!, ...offered[3 * i + 1]!]);
      for (const name of node.options.flatMap((option) => option.names))
        expect(options, `${node.path} ${name}`).toContain(name);
      for (const { name } of node.commands) expect(offered[3 * i + 2], `${node.path} ${name}`).toContain(name);
    }
  });

  here("offers the values of every option and argument that has a list of them", () => {
    const cases = nodes.flatMap((node) => [
      ...(node.values.kind === "words" && node.commands.length === 0
        ? [{ typed: line(node, ""), words: node.values.words }]
        : []),
      ...node.options.flatMap(({ names: flags, values }) =>
        values?.kind === "words" ? [{ typed: line(node, `${flags[0]} `), words: values.words }] : [],
      ),
    ]);
    expect(cases.length).toBeGreaterThan(40);
    const offered = complete(cases.map(({ typed }) => typed));
    for (const [i, { typed, words }] of cases.entries()) expect(new Set(offered[i]), typed).toEqual(new Set(words));
  });

  here("goes on behind options, values and words of its commands", () => {
    const [after, value, both, unknown] = complete([
      "moecast trace --no-color imp",
      "moecast plan --set a=b --system h200",
      "moecast run --seed 3 --summary co",
      "moecast nothing --summary co",
    ]);
    // The stubs of zsh print all that is offered; its line editor narrows it.
    expect(after).toContain("import");
    expect(value).toContain("h200-sxm-8");
    expect(both).toContain("compact");
    expect(unknown).not.toContain("compact");
  });

  here("offers files by their kind", () => {
    const [scenario = [], baseline = []] = complete(["moecast run ", "moecast run --baseline "]);
    if (shell === "zsh") {
      expect(scenario).toEqual(["FILES -g *.(yaml|yml)"]);
      return;
    }
    expect(scenario).toEqual(expect.arrayContaining(["a.yaml"]));
    expect(scenario.map((name) => name.replaceAll("\\", ""))).toContain("sp ace.yaml");
    expect(baseline).toContain("b.json");
    if (shell === "bash") expect([...scenario, ...baseline]).not.toContain("c.txt");
  });
});
