import { appendFile, mkdir, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { styleText } from "node:util";
import { refuse, UsageError } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { plainStyle, type TextStyle } from "../report/text-table.ts";

/** The outside world as commands see it. stdout carries results only; progress and messages go to stderr. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly style: TextStyle;
  /** Cells in a line of the terminal stdout is; absent where it is none, and lines may have any length. */
  readonly width?: number;
  /** Whether stderr is a terminal on which a progress line may be redrawn. */
  readonly progress: boolean;
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  appendText(path: string, text: string): Promise<void>;
}

const colours: TextStyle = {
  bold: (text) => styleText("bold", text),
  dim: (text) => styleText("dim", text),
  good: (text) => styleText("green", text),
  bad: (text) => styleText("red", text),
  warn: (text) => styleText("yellow", text),
};

/** Tables do not get narrower than this, and text is hard to read when wider. */
const widthMin = 60;
const widthMax = 120;

/** Colour only on a terminal that wants it: not with NO_COLOR, TERM=dumb or --no-color. */
export function processIo(colour: boolean): Io {
  const { env, stdout, stderr } = process;
  const terminal = stdout.isTTY === true;

  const wanted = colour && terminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    style: wanted ? colours : plainStyle,
    ...(terminal ? { width: Math.min(widthMax, Math.max(widthMin, stdout.columns || 80)) } : {}),
    progress: stderr.isTTY === true && !env["CI"],
    readText,
    writeText: async (path, text) => attempt(path, () => replaceFile(path, text)),
    appendText: async (path, text) =>
      attempt(path, async () => {
        await makeFolder(dirname(path));
        await appendFile(path, text);
      }),
  };
}

/** What is wrong with a path, by error code of the operating system. */
const errorText: Readonly<Record<string, string>> = {
  ENOENT: "a file that exists",
  ENOTDIR: "a file that exists",
  EISDIR: "a file, not a folder",
  EACCES: "a readable file",
  EPERM: "a readable file",
};

/** Scenarios, configurations, profiles and forecasts are small; a device or a huge file is not read to its end. */
const textBytesMax = 64 * 1024 * 1024;

async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path).catch((error: NodeJS.ErrnoException) =>
    refuse({ file: path, expected: errorText[error.code ?? ""] ?? `a readable file (${error.code ?? error.message})` }),
  );
  if (bytes === null) return refuse({ file: path, expected: `at most ${formatBytes(textBytesMax)} of text` });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse({ file: path, ...placeOfBadByte(bytes), expected: "UTF-8 text" });
  }
}

async function readBytes(path: string): Promise<Buffer | null> {
  const file = await open(path, "r");
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total <= textBytesMax) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(1024 * 1024), 0, 1024 * 1024, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    return null;
  } finally {
    await file.close();
  }
}

/** Line and column of the first byte that is not UTF-8. */
function placeOfBadByte(bytes: Buffer): { line: number; column: number } {
  const before = bytes.toString("utf8").split("\ufffd")[0] ?? "";
  const lines = before.split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

/** Writes beside the file and renames, so that no half file is ever left; pipes and devices are written to as they are. */
async function replaceFile(path: string, text: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there !== null && !there.isFile()) {
    await writeFile(path, text);
    return;
  }
  await makeFolder(dirname(path));
  const target = there === null ? path : await realpath(path);
  const partial = `${target}.${process.pid}.partial`;
  try {
    await writeFile(partial, text);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Makes sure that a file can be written at a path before long work on it begins. */
export async function prepareOutput(path: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() === true) throw new UsageError(`cannot write ${path}: expected a file, found a folder`);
  await attempt(path, () => makeFolder(dirname(path)));
}

/** Makes a folder and those above it. (`recursive` of mkdir does not return for a folder below /proc.) */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (code !== "ENOENT" || above === path) throw error;
    await makeFolder(above);
    await mkdir(path);
  }
}

/** Runs something that writes to a path; what the operating system refuses becomes a usage error. */
async function attempt<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new UsageError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
