import { localFiles } from "../files/local-files.ts";
import { appendOutput, writeOutput } from "../files/write-output.ts";
import type { TextStyle } from "../report/text-table.ts";
import type { FileReader } from "../resolve/file-reader.ts";
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
  readText(path: string, bytesMax?: number): Promise<string>;
  whatIs(path: string): Promise<"file" | "folder" | "nothing">;
  list(path: string): Promise<readonly string[]>;
  writeText(path: string, text: string): Promise<void>;
  writeBytes(path: string, bytes: Uint8Array): Promise<void>;
  appendText(path: string, text: string): Promise<void>;
}

/** The part of the outside world that a forecast reads. */
export const fileReader = (io: Io): Required<FileReader> => ({
  readText: (path, bytesMax) => io.readText(path, bytesMax),
  whatIs: (path) => io.whatIs(path),
  list: (path) => io.list(path),
});

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
    ...localFiles,
    writeText: (path, text) => writeOutput(path, (output) => output.append(text)),
    writeBytes: (path, bytes) => writeOutput(path, (output) => output.append(bytes)),
    appendText: appendOutput,
  };
}
