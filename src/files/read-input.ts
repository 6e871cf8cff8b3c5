import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { type Problem, refuse } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { PipeTimeout, pipeBytes, pipePatience } from "./named-pipe.ts";
import { causeOf, isSystemError } from "./system-error.ts";

/** Opens a file for reading; a named pipe does not keep it waiting. Refuses what cannot be opened. */
export async function openInput(path: string): Promise<{ handle: FileHandle; facts: Stats }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) =>
    refuse(unreadable(path, error)),
  );
  try {
    return { handle, facts: await handle.stat() };
  } catch (error) {
    await handle.close();
    return refuse(unreadable(path, error));
  }
}

/** What an error of the operating system on an input becomes. */
export function unreadable(file: string, error: unknown): Problem {
  const { code } = error as NodeJS.ErrnoException;
  const expected =
    code === "ENOENT" || code === "ENOTDIR"
      ? "a file that exists"
      : code === "EISDIR"
        ? "a file, not a folder"
        : `a readable file (${causeOf(error)})`;
  return { file, expected };
}

/** What is at the path of an opened input, in words. */
export function kindOf(facts: Stats): string {
  if (facts.isDirectory()) return "a folder";
  if (facts.isFIFO()) return "a named pipe";
  return facts.isFile() ? "a file" : "a device";
}

/**
 * The bytes of a file as a whole, of a named pipe once they have come, or of a device. Refuses more than `bytesMax`
 * without reading further, and a pipe that nothing comes through in time.
 */
export async function readBytes(path: string, bytesMax: number, patience = pipePatience): Promise<Buffer> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) refuse({ file: path, expected: "a file, not a folder" });
    const atMost = `at most ${formatBytes(bytesMax)}`;
    if (facts.size > bytesMax) refuse({ file: path, expected: `${atMost}, found ${formatBytes(facts.size)}` });
    const pieces: Uint8Array[] = [];
    let total = 0;
    for await (const piece of facts.isFile() ? storedBytes(path) : pipeBytes(path, patience)) {
      total += piece.length;
      if (total > bytesMax) refuse({ file: path, expected: `${atMost}, found more` });
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof PipeTimeout) return refuse({ file: path, expected: "an input", hint: error.message });
    if (isSystemError(error)) return refuse(unreadable(path, error));
    throw error;
  }
}

const pieceBytes = 1 << 20;

async function* storedBytes(path: string): AsyncGenerator<Uint8Array> {
  const { handle } = await openInput(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The text of a file as a whole; see {@link readBytes}. Refuses what is not UTF-8, with its place. */
export async function readText(path: string, bytesMax: number, patience = pipePatience): Promise<string> {
  return textOf(await readBytes(path, bytesMax, patience), path);
}

/** Bytes of a file from an offset on; fewer at its end. Refuses what is no file. */
export async function readRange(path: string, offset: number, bytes: number): Promise<Uint8Array> {
  const { handle, facts } = await openInput(path);
  try {
    if (!facts.isFile()) refuse({ file: path, expected: `a file, not ${kindOf(facts)}` });
    const buffer = new Uint8Array(Math.min(bytes, Math.max(0, facts.size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } catch (error) {
    if (isSystemError(error)) return refuse(unreadable(path, error));
    throw error;
  } finally {
    await handle.close();
  }
}

/** The same, or null where there is no such file. */
export async function readTextIfThere(path: string, bytesMax: number): Promise<string | null> {
  return (await exists(path)) ? readText(path, bytesMax) : null;
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" || error.code === "ENOTDIR" ? false : refuse(unreadable(path, error)),
  );
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse({ file, ...placeOfBadByte(bytes), expected: "UTF-8 text" });
  }
}

/** Line and column of the first byte that is not UTF-8. */
function placeOfBadByte(bytes: Uint8Array): { line: number; column: number } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [line, column] = [1, 1];
  // Lines are decoded one by one: the text as a whole may be long, and only one line of it is wrong.
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    const row = bytes.subarray(from, end < 0 ? bytes.length : end + 1);
    try {
      decoder.decode(row);
    } catch {
      column = (new TextDecoder().decode(row).split("\ufffd")[0] ?? "").length + 1;
      break;
    }
    line += 1;
    from += row.length;
  }
  return { line, column };
}
