import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blocksOf } from "../../scripts/doc-blocks.ts";

/** A project that depends on moecast as it is published: by its package.json and what was built. */
const folder = mkdtempSync(join(tmpdir(), "moecast-consumer-"));
const node = (...words: string[]): string =>
  execFileSync(process.execPath, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const blocks = [
  ...blocksOf(readFileSync("docs/library.md", "utf8")),
  ...blocksOf(readFileSync("docs/plugins.md", "utf8")),
].filter(({ language, label }) => language === "js" && label !== "");

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--if-stale"]);
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  symlinkSync(resolve("."), join(folder, "node_modules", "moecast"));
  symlinkSync(resolve("node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  cpSync("scenarios", join(folder, "scenarios"), { recursive: true });
  cpSync("schema", join(folder, "schema"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  for (const { label, lines } of blocks) writeFileSync(join(folder, label), `${lines.join("\n")}\n`);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("strict TypeScript compiles against the declarations, which it checks too", () => {
  writeFileSync(
    join(folder, "main.ts"),
    `import { forecast, loadScenario, type CachePlugin, type Forecast, type Plugin, type Scenario } from "moecast";
import { parseScenario } from "moecast/parts";
const plugin: Plugin = { name: "mine", routers: [{ name: "first", rule: "The first.", create: () => ({ choose: () => 0 }) }] };
export const caches: readonly CachePlugin[] = plugin.caches ?? [];
export async function p99(path: string): Promise<number | null> {
  const scenario: Scenario = await loadScenario(path, { plugins: [plugin], settings: ["seed=2"] });
  const result: Forecast = await forecast(scenario, { signal: AbortSignal.timeout(1000), onProgress: (done, total) => void (done / total) });
  return result.latency.ttft.p99;
}
// @ts-expect-error a setting is text
void loadScenario("x.yaml", { settings: [1] });
export const { name }: Scenario = parseScenario("version: 1", "x.yaml");
`,
  );
  const compilerOptions = {
    strict: true,
    module: "nodenext",
    target: "es2023",
    types: ["node"],
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["main.ts"] }));
  expect(() => node(resolve("node_modules/typescript/bin/tsc"), "-p", ".")).not.toThrow();
}, 300_000);

test.each(
  blocks.filter(({ lines }) => lines.some((line) => line.includes('from "moecast"'))).map(({ label }) => label),
)(
  "the example %s of docs/library.md runs",
  (label) => {
    expect(node(label)).not.toBe("");
    if (label === "first.mjs") expect(existsSync(join(folder, "result.json"))).toBe(true);
  },
  300_000,
);

test("runs and sweeps on threads load a plugin file: LRU written again in a sweep has the figures of LRU", () => {
  cpSync("test/plugin/twins.mjs", join(folder, "twins.mjs"));
  writeFileSync(
    join(folder, "swept.mjs"),
    `import { sweep } from "moecast";
const { rows, counts } = await sweep("scenarios/offload-4090.yaml", {
  plugins: ["twins.mjs"], settings: ["traffic.requests=20"], threads: 2, folder: "swept",
  vary: { "policy.offload.kind": ["lru", "lru-twin"] },
});
console.log(JSON.stringify({ counts, same: JSON.stringify(rows[0].outcome) === JSON.stringify(rows[1].outcome), keys: rows[0].key !== rows[1].key }));
`,
  );
  expect(JSON.parse(node("swept.mjs"))).toEqual({
    counts: { done: 2, infeasible: 0, invalid: 0, failed: 0 },
    same: true,
    keys: true,
  });
}, 300_000);
