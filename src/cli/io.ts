import { open, stat } from "node:fs/promises";
import { refuse } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { appendOutput, writeOutput } from "../files/write-output.ts";
import type { TextStyle } from "../report/text-table.ts";
import { messageText, styleFor, terminalText } from "./terminal-output.ts";

/** The outside world as commands see it. stdout carries results only; progress and messages go to stderr. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly style: TextStyle;
  /** Cells in a line of the terminal stdout is; absent where it is none, and lines may have any length. */
  readonly width?: number;
  /** Whether stderr is a terminal on which a progress line may be redrawn. */
  readonly progress: boolean;
  /** Cells such a line may take: the terminal's at this moment, less the one behind which it would wrap. */
  progressWidth(): number;
  readText(path: string): Promise<string>;
  whatIs(path: string): Promise<"file" | "folder" | "nothing">;
  writeText(path: string, text: string): Promise<void>;
  appendText(path: string, text: string): Promise<void>;
}

/** Tables do not get narrower than this, and text is hard to read when wider. */
const widthMin = 60;
const widthMax = 120;

/** The process's own streams; what is written to them holds nothing that drives a terminal but our own style. */
export function processIo(colour: boolean): Io {
  const { env, stdout, stderr } = process;
  const terminal = stdout.isTTY === true;
  const style = styleFor(colour, terminal, env);
  return {
    out: (text) => void stdout.write(terminalText(text, style)),
    err: (text) => void stderr.write(messageText(text)),
    style,
    ...(terminal ? { width: Math.min(widthMax, Math.max(widthMin, stdout.columns || 80)) } : {}),
    progress: stderr.isTTY === true && !env["CI"],
    progressWidth: () => (stderr.columns || 80) - 1,
    readText,
    whatIs: async (path) => {
      const there = await stat(path).catch(() => null);
      return there === null ? "nothing" : there.isDirectory() ? "folder" : "file";
    },
    writeText: (path, text) => writeOutput(path, (output) => output.append(text)),
    appendText: appendOutput,
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
