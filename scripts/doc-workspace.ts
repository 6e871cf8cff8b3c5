import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { blocksOf } from "./doc-blocks.ts";

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  /** Lines of standard output, then those of standard error. */
  readonly lines: readonly string[];
}

/**
 * A throw-away copy of what the commands of a page work on: the scenarios, and the files whose text the page shows (a
 * block with a path after its language).
 */
export class DocWorkspace {
  readonly root: string;
  readonly folder: string;

  constructor(root: string, page: string) {
    this.root = root;
    this.folder = mkdtempSync(join(tmpdir(), "moecast-docs-"));
    for (const part of ["scenarios", "schema"]) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    for (const { language, label, lines } of blocksOf(page)) {
      if (!["yaml", "json", "csv", "js"].includes(language) || label === "") continue;
      const file = join(this.folder, label);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${lines.join("\n")}\n`);
    }
  }

  /** Runs the command line from source. */
  run(words: readonly string[]): Promise<Outcome> {
    const loader = import.meta.resolve("tsx");
    const main = join(this.root, "src", "cli", "main.ts");
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["--import", loader, main, ...words], { cwd: this.folder });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on("data", (data: Buffer) => out.push(data));
      child.stderr.on("data", (data: Buffer) => err.push(data));
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({
          code: code ?? -1,
          lines: [out, err].flatMap((chunks) => Buffer.concat(chunks).toString("utf8").split("\n")),
        }),
      );
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
