// Same inputs, same bytes: runs scenarios twice on this Node and once on every other Node given in MOECAST_NODES (a
// list of executables, separated by the platform's path delimiter), and compares the sha256 of every output: the JSON
// forecast, the summary, and each export.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { exporters } from "../src/report/exporters.ts";

const root = join(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");
const scenarios = process.argv.slice(2);
if (scenarios.length === 0)
  scenarios.push("scenarios/ci/pass.yaml", "scenarios/quickstart.yaml", "scenarios/cluster-ep8.yaml");
const others = (process.env["MOECAST_NODES"] ?? "").split(delimiter).filter((path) => path !== "");
const formats = Object.keys(exporters);

if (!existsSync(main)) {
  process.stderr.write("dist is missing: npm run build\n");
  process.exit(2);
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Digests of all that a run on one Node writes, by name of the output. */
function outputs(node: string, scenario: string): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "moecast-determinism-"));
  try {
    const exports = formats.flatMap((format) => ["--export", `${format}=${join(folder, format)}`]);
    const run = spawnSync(node, [main, "run", scenario, "--quiet", ...exports], { cwd: root });
    if (run.error !== undefined) throw new Error(`${node} cannot be run: ${run.error.message}`);
    if (!existsSync(join(folder, "json")))
      throw new Error(`${node}: ${scenario} gave no forecast: ${run.stderr.toString()}`);
    return new Map([
      ...formats.map((format): [string, string] => [format, sha256(readFileSync(join(folder, format)))]),
      ["summary", sha256(run.stdout)],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const versionOf = (node: string) => spawnSync(node, ["--version"]).stdout?.toString().trim() ?? node;

let differing = 0;
for (const scenario of scenarios) {
  const reference = outputs(process.execPath, scenario);
  for (const node of [process.execPath, ...others]) {
    const digests = outputs(node, scenario);
    const different = [...digests].filter(([name, digest]) => reference.get(name) !== digest).map(([name]) => name);
    if (different.length > 0) differing += 1;
    const verdict = different.length === 0 ? "ok  " : `FAIL (${different.join(", ")})`;
    const json = (digests.get("json") ?? "").slice(0, 16);
    process.stdout.write(
      `${verdict} ${scenario} ${versionOf(process.execPath)} and ${versionOf(node)}: json ${json}\n`,
    );
  }
}
process.stdout.write(differing === 0 ? "same bytes everywhere\n" : `${differing} comparisons differ\n`);
process.exit(differing === 0 ? 0 : 1);
