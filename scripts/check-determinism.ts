// Same inputs, same bytes: runs scenarios twice on this Node and once on every other Node given in MOECAST_NODES (a
// list of executables, separated by the platform's path delimiter), and compares the sha256 of the JSON forecasts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const scenarios = ["scenarios/ci/pass.yaml", "scenarios/quickstart.yaml"];
const others = (process.env["MOECAST_NODES"] ?? "").split(delimiter).filter((path) => path !== "");
const nodes = [process.execPath, process.execPath, ...others];

let differing = 0;
for (const scenario of scenarios) {
  const digests = nodes.map((node) => {
    const run = spawnSync(node, [join(root, "dist", "cli", "main.js"), "run", scenario, "--json", "--quiet"], {
      cwd: root,
      maxBuffer: 256 * 1024 * 1024,
    });
    if (run.stdout.length === 0) throw new Error(`${node}: ${scenario} printed nothing: ${run.stderr.toString()}`);
    const version = spawnSync(node, ["--version"]).stdout.toString().trim();
    return { version, sha256: createHash("sha256").update(run.stdout).digest("hex") };
  });
  const same = digests.every((one) => one.sha256 === digests[0]?.sha256);
  if (!same) differing++;
  for (const { version, sha256 } of digests)
    process.stdout.write(`${same ? "ok  " : "FAIL"} ${scenario} ${version} ${sha256.slice(0, 16)}\n`);
}
process.exit(differing === 0 ? 0 : 1);
