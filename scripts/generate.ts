// Writes every generated file of the repository: `npm run generate`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "..");
for (const [path, textOf] of Object.entries(generatedFiles)) {
  const file = join(root, path);
  const text = textOf();
  const changed = !existsSync(file) || readFileSync(file, "utf8") !== text;
  if (changed) writeFileSync(file, text);
  process.stdout.write(`${changed ? "written  " : "unchanged"} ${path}\n`);
}
