import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { blocksOf, commandsOf, docPages, moecastArguments, readPage, splitWords } from "../../scripts/doc-blocks.ts";
import { generatedFiles, withDefinitions } from "../../scripts/generated-files.ts";
import { buildProgram } from "../../src/cli/program.ts";

const root = process.cwd();
const pages = docPages(root).map((page) => ({ page, text: readPage(root, page) }));
const scripts = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).scripts as Record<string, string>);
const program = await buildProgram(() => {});

/** The text of a page without its fenced blocks. */
function prose(text: string): string {
  const lines = text.split("\n");
  for (const { first, end } of blocksOf(text)) for (let i = first - 1; i <= end; i++) lines[i] = "";
  return lines.join("\n");
}

const inlineCode = (text: string): string[] => [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (text: string): Set<string> =>
  new Set([...prose(text).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? "")));

describe.each(pages)("$page", ({ page, text }) => {
  test("its relative links lead to files and headings that exist", () => {
    const broken = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? "")
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = "", anchor] = link.split("#");
        const file = path === "" ? resolve(page) : resolve(dirname(page), path);
        if (!existsSync(file)) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).has(anchor);
      });
    expect(broken).toEqual([]);
  });

  test("the files it names exist", () => {
    const missing = inlineCode(text)
      .filter((code) => /^(src|test|scripts|scenarios|schema|bench|docs)\/[\w./-]*$/.test(code))
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  test("the npm scripts it names exist", () => {
    const named = [...text.matchAll(/\bnpm (?:run )?([a-z]+(?::[a-z]+)?)\b/g)].map((match) => match[1] ?? "");
    const known = new Set([...scripts, "install", "ci", "link", "pack"]);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test("the commands and options it names exist", () => {
    const inline = inlineCode(text).map((code) => splitWords(code));
    const lines = commandsOf(text).map((command) => command.words);
    const unknown = [...inline, ...lines].flatMap((words) => {
      const args = moecastArguments(words);
      return args === null ? [] : unknownWords(args).map((word) => `${words.join(" ")}: ${word}`);
    });
    expect(unknown).toEqual([]);
  });
});

/** Sub-commands and options among the words of a call that moecast does not have. */
function unknownWords(args: readonly string[]): string[] {
  let command: Command = program;
  const unknown: string[] = [];
  for (const word of args) {
    if (word.startsWith("-") && word !== "-") {
      const known = ["--help", "-h", "--version", "-V", ...optionsOf(program), ...optionsOf(command)];
      if (!known.includes(word.split("=")[0] ?? "")) unknown.push(word);
      continue;
    }
    if (command.commands.length === 0) continue;
    // `trace import|inspect` names several at once.
    const next = word.split("|").map((name) => command.commands.find((candidate) => candidate.name() === name));
    if (next[0] === undefined || next.includes(undefined)) {
      // `sweep` takes a scenario, and has commands of its own.
      if (command.registeredArguments.length === 0) unknown.push(word);
      break;
    }
    command = next[0];
  }
  return unknown;
}

const optionsOf = (command: Command): string[] =>
  command.options.flatMap((option) =>
    [option.short, option.long].filter((name) => name !== undefined && name !== null),
  );

describe.each(Object.entries(generatedFiles))("%s", (path, textOf) => {
  test("is what its generator writes", () => {
    expect(readFileSync(path, "utf8") === textOf(), "run npm run generate").toBe(true);
  });
});

test("the README defines the figures as the reports do", () => {
  const readme = readPage(root, "README.md");
  expect(readme, "run npm run generate").toBe(withDefinitions(readme));
});

/** Texts that a pattern's first group finds in source files of some folders. */
const inSources = (folders: readonly string[], pattern: RegExp): string[] =>
  folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(pattern)])
      .map((match) => match[1] ?? ""),
  );

test("docs/modelling.md explains every line a fidelity ledger can have", () => {
  const topics = [
    ...inSources(["src/sim"], /\badd\(\s*"([^"]+)"/g),
    ...inSources(["src/resolve", "src/calibrate", "src/forecast"], /\btopic: "([^"]+)"/g),
  ];
  expect(topics.length).toBeGreaterThan(15);
  const page = readPage(root, "docs/modelling.md");
  expect(topics.filter((topic) => !page.includes(`| ${topic} |`))).toEqual([]);
});

test("ARCHITECTURE.md names every law that a run counts", () => {
  const laws = inSources(["src/sim"], /\blaws\.count\("([^"]+)"/g);
  expect(laws.length).toBeGreaterThan(8);
  const page = readPage(root, "ARCHITECTURE.md");
  expect(laws.filter((law) => !new RegExp(`^\\| .*\\b${law}\\b.* \\|`, "m").test(page))).toEqual([]);
});

test("every page under docs is linked from the README", () => {
  const readme = readPage(root, "README.md");
  const unlinked = pages.filter(({ page }) => page.startsWith("docs/") && !readme.includes(`(${page})`));
  expect(unlinked.map(({ page }) => page)).toEqual([]);
});
