import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

// Lowest first. A folder may import itself and folders on a lower row, never its own row.
const levels = [
  ["core"],
  ["files", "solver"],
  ["models", "hardware", "engine", "trace"],
  ["policy"],
  ["sim"],
  ["metrics"],
  ["scenario"],
  ["resolve", "plugin"],
  ["calibrate"],
  ["forecast"],
  ["validate", "offload", "place"],
  ["plan", "capture"],
  ["report"],
  ["tui"],
  ["cli", "library"],
];

/** Folders that may import a wrapped package. Everything else that src imports must be listed too. */
const packageOwners: Record<string, readonly string[]> = {
  "glpk.js": ["solver"],
  highs: ["solver"],
  "simple-statistics": ["core"],
  "fastest-levenshtein": ["core"],
  ink: ["tui"],
  react: ["tui"],
  "@tensorflow/tfjs-core": ["capture"],
  "@tensorflow/tfjs-backend-wasm": ["capture"],
  "@tensorflow/tfjs-backend-webgpu": ["capture"],
  "@tensorflow/tfjs-backend-cpu": ["capture"],
  "@tensorflow/tfjs-node-gpu": ["capture"],
  "@huggingface/tokenizers": ["capture"],
  webgpu: ["capture"],
  commander: ["cli"],
  "@clack/prompts": ["cli"],
  yaml: ["scenario", "plan"],
  zod: ["core", "policy", "scenario", "plugin", "hardware", "engine", "trace", "calibrate", "tui"],
  "csv-parse": ["trace", "calibrate"],
  hyparquet: ["calibrate", "plan"],
  "hyparquet-compressors": ["calibrate"],
  "hyparquet-writer": ["plan", "report"],
  "@duckdb/node-api": ["plan"],
  bullmq: ["plan"],
  ioredis: ["plan"],
  fflate: ["trace"],
  "junit-report-builder": ["report"],
  "d3-scale": ["report"],
  "d3-shape": ["report"],
};

/** Folders that may touch the disk, clocks, processes or workers. The rest is pure. */
const effectful = new Set([
  "files",
  "trace",
  "plugin",
  "resolve",
  "calibrate",
  "validate",
  "place",
  "plan",
  "capture",
  "tui",
  "cli",
  "library",
]);
const pureNodeModules = new Set(["node:crypto", "node:buffer", "node:path"]);

const src = resolve("src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
const entryPoints = new Set(["index.ts", "parts.ts"]);
const folderOf = (path: string) => path.split("/")[0] ?? "";
const levelOf = (folder: string) => levels.findIndex((row) => row.includes(folder));
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

/** Modules named by import, export-from, dynamic import and worker URLs. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  const patterns = [
    /^\s*(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"/gm,
    /^\s*import\s+"([^"]+)"/gm,
    /\bimport\(\s*"([^"]+)"/g,
    /new URL\(\s*"([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** Files of src that a file imports. */
const localImportsOf = (file: string): string[] =>
  importsOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(src, resolve(dirname(join(src, file)), name)));

/**
 * Groups of two or more files of which each reaches every other by imports: the strongly connected components, as Tarjan
 * (1972) finds them.
 */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): number => {
    const at = order.size;
    order.set(file, at);
    lowest.set(file, at);
    open.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!imports.has(target)) continue;
      const reached = order.has(target) ? (open.includes(target) ? order.get(target)! : at) : visit(target);
      lowest.set(file, Math.min(lowest.get(file)!, reached));
    }
    if (lowest.get(file) === at) {
      const members = open.splice(open.indexOf(file));
      if (members.length > 1) circles.push(members.sort().join(" <-> "));
    }
    return lowest.get(file)!;
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles;
}

const inFolders = files.filter((file) => !entryPoints.has(file));

test("every source file lies in a known folder", () => {
  expect(inFolders.filter((file) => levelOf(folderOf(file)) < 0)).toEqual([]);
});

test("a folder imports only itself and folders below it", () => {
  const violations = inFolders.flatMap((file) =>
    localImportsOf(file)
      .filter((target) => folderOf(target) !== folderOf(file))
      .filter((target) => levelOf(folderOf(target)) >= levelOf(folderOf(file)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(violations).toEqual([]);
});

test("no files import one another in a circle", () => {
  expect(circlesOf(new Map(files.map((file) => [file, localImportsOf(file)])))).toEqual([]);
});

test("a package is imported by its owners only, and every package has one", () => {
  const violations = inFolders.flatMap((file) =>
    importsOf(file)
      .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
      .filter((name) => !(packageOwners[packageOf(name)] ?? []).includes(folderOf(file)))
      .map((name) => `${file} -> ${name}`),
  );
  expect(violations).toEqual([]);
});

test("pure folders use no Node module but hashing and path arithmetic", () => {
  const violations = inFolders
    .filter((file) => !effectful.has(folderOf(file)))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith("node:") && !pureNodeModules.has(name))
        .map((name) => `${file} -> ${name}`),
    );
  expect(violations).toEqual([]);
});

/** Own files of a recording and of an installation, which no user names. */
const ownFiles = new Set(["capture/backends/setup.ts", "capture/record/decoded-rows.ts"]);

test("inputs are read and outputs written as a whole through src/files, with its limits and its care", () => {
  const whole = /\b(?:readFile|writeFile|appendFile|createWriteStream)(?:Sync)?\b/;
  const violations = inFolders
    .filter((file) => folderOf(file) !== "files" && !ownFiles.has(file))
    .filter((file) =>
      [...readFileSync(join(src, file), "utf8").matchAll(/import \{([^}]*)\} from "node:fs(?:\/promises)?"/g)].some(
        ([, names = ""]) => whole.test(names),
      ),
    );
  expect(violations).toEqual([]);
});

test("folders are made by src/files/folders.ts, which returns wherever it is asked to make one", () => {
  const violations = inFolders
    .filter((file) => file !== "files/folders.ts")
    .filter((file) => /\bmkdir(?:Sync)?\(/.test(readFileSync(join(src, file), "utf8")));
  expect(violations).toEqual([]);
});

test("nothing that differs between runs, locales or Node versions is used below the command line", () => {
  // A power of two with a literal exponent is exact everywhere and folded by the compiler.
  const powerOfTwo = /\b2 \*\* -?\d+/g;
  const banned = /Math\.pow|\*\*|Math\.random|\bDate\b|\bIntl\b|toLocale|performance\.now/;
  const violations = inFolders
    .filter((file) => !["cli", "tui", "capture", "plan"].includes(folderOf(file)))
    .flatMap((file) =>
      readFileSync(join(src, file), "utf8")
        .split("\n")
        .map((line, index) => ({ line: line.replace(/\/\/.*$/, "").replace(/^\s*\/?\*.*$/, ""), at: index + 1 }))
        .filter(({ line }) => banned.test(line.replace(/"[^"]*"|`[^`]*`/g, "").replace(powerOfTwo, "")))
        .map(({ line, at }) => `${file}:${at}: ${line.trim()}`),
    );
  expect(violations).toEqual([]);
});
