import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { styleText } from "node:util";
import { refuse, UsageError } from "../core/errors.ts";
import { plainStyle, type TextStyle } from "../report/text-table.ts";

/** The outside world as commands see it. stdout carries results only; progress and messages go to stderr. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly style: TextStyle;
  /** Whether stderr is a terminal on which a progress line may be redrawn. */
  readonly progress: boolean;
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  appendText(path: string, text: string): Promise<void>;
}

const errorText: Readonly<Record<string, string>> = {
  ENOENT: "a file that exists",
  EISDIR: "a file, not a folder",
  EACCES: "a readable file",
};

const colours: TextStyle = {
  bold: (text) => styleText("bold", text),
  dim: (text) => styleText("dim", text),
  good: (text) => styleText("green", text),
  bad: (text) => styleText("red", text),
  warn: (text) => styleText("yellow", text),
};

/** Colour only on a terminal that wants it: not with NO_COLOR, TERM=dumb or --no-color. */
export function processIo(colour: boolean): Io {
  const { env } = process;
  const wanted = colour && process.stdout.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    style: wanted ? colours : plainStyle,
    progress: process.stderr.isTTY === true && !env["CI"],
    readText: async (path) => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return refuse({ file: path, expected: errorText[code ?? ""] ?? `a readable file (${code})` });
      }
    },
    writeText: async (path, text) => {
      await attempt(path, async () => {
        await mkdir(dirname(path), { recursive: true });
        // Never leaves half a file behind.
        await writeFile(`${path}.partial`, text);
        await rename(`${path}.partial`, path);
      });
    },
    appendText: async (path, text) => attempt(path, () => appendFile(path, text)),
  };
}

async function attempt(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
