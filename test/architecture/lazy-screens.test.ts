import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const src = resolve("src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
const ofScreens = /^(?:ink|react)(?:\/|$)/;

/** Modules that are loaded with a file: those of its import and export statements, without those of types alone. */
function loadedWith(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  const statements = [/^\s*(?:import|export)\s+(?!type\b)[^;"]*?\bfrom\s+"([^"]+)"/gm, /^\s*import\s+"([^"]+)"/gm];
  return statements
    .flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name))
    .map((name) => (name.startsWith(".") ? relative(src, resolve(dirname(join(src, file)), name)) : name));
}

/** All that is loaded with files, directly or not. */
function closure(entries: readonly string[]): ReadonlySet<string> {
  const known = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (known.has(file)) continue;
    known.add(file);
    if (files.includes(file)) open.push(...loadedWith(file));
  }
  return known;
}

const holders = files.filter((file) => loadedWith(file).some((name) => ofScreens.test(name)));

test("what draws the line that is typed lies in one folder, and is loaded by the session alone, when it begins", () => {
  expect(holders.length).toBeGreaterThan(0);
  expect(new Set(holders.map(dirname))).toEqual(new Set(["tui/ink"]));
  const loaders = files.filter((file) => {
    const text = readFileSync(join(src, file), "utf8");
    return [...text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)].some(([, name = ""]) => name.includes("ink/"));
  });
  expect(loaders).toEqual(["tui/session.ts"]);
});

test("no command loads it with its module, nor does the session before it shows something", () => {
  const entries = files.filter((file) => file.startsWith("cli/") || file === "index.ts" || file === "tui/session.ts");
  const loaded = [...closure(entries)];
  expect(loaded.filter((name) => ofScreens.test(name))).toEqual([]);
  expect(loaded).toContain("tui/view/frame.ts");
});

test("a command other than tui loads nothing of the screens", () => {
  const entries = files.filter((file) => file.startsWith("cli/"));
  expect([...closure(entries)].filter((name) => name.startsWith("tui/"))).toEqual([]);
});

test("the terminal UI shows something before policies and schemas are loaded", () => {
  const entries = ["cli/main.ts", "cli/tui-command.ts", "cli/tui.ts", "tui/session.ts"];
  const loaded = [...closure(entries)];
  expect(loaded).toContain("cli/program.ts");
  expect(loaded.filter((name) => name === "zod" || name.endsWith("-command.ts"))).toEqual(["cli/tui-command.ts"]);
});
