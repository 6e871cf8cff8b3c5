// Emits plain JavaScript to dist/. With --if-stale, only when a source file is newer than the last build.
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./ensure-installed.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "dist", ".built");

function newestSourceMs() {
  let newest = statSync(join(root, "package.json")).mtimeMs;
  for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }))
    newest = Math.max(newest, statSync(join(root, "src", name)).mtimeMs);
  return newest;
}

const fresh = existsSync(stamp) && statSync(stamp).mtimeMs >= newestSourceMs();
if (!(process.argv.includes("--if-stale") && fresh)) {
  process.stderr.write("moecast: building\n");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"]);
  writeFileSync(stamp, "");
}
