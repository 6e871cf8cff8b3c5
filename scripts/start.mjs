// `npm start [scenario...]`: installs and builds what is missing, then runs the quickstart (or the given scenarios).
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled, run } from "./ensure-installed.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
ensureInstalled();
run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
const words = process.argv.slice(2);
const command = words.length > 0 ? words : ["scenarios/quickstart.yaml"];
const result = spawnSync(process.execPath, [join(root, "dist", "cli", "main.js"), "run", ...command], {
  cwd: root,
  stdio: "inherit",
});
process.exit(result.status ?? 1);
