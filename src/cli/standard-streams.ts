import { fstatSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { causeOf } from "../files/system-error.ts";

let lost: Error | null = null;

/**
 * Keeps a process going whose stdout or stderr cannot be written: exports are still made. A reader that leaves early (head,
 * less) only misses the rest; any other loss of stdout is remembered.
 */
export function guardStandardStreams(): void {
  const { stdout, stderr } = process;
  for (const [stream, fd] of [
    [stdout, 1],
    [stderr, 2],
  ] as const) {
    const fail = (error: Error) => {
      if (stream === stdout && (error as NodeJS.ErrnoException).code !== "EPIPE") lost ??= error;
    };
    stream.on("error", fail);
    if (isStored(fd)) writeWhole(stream, fd, fail);
  }
}

/** The exit code of a command whose output may have been lost, which is said. */
export function withLostOutput(code: ExitCode): ExitCode {
  if (lost === null) return code;
  process.stderr.write(`cannot write to stdout: ${causeOf(lost)}\n`);
  return code === exitCodes.ok || code === exitCodes.sloFailed ? exitCodes.usage : code;
}

function isStored(fd: number): boolean {
  try {
    const facts = fstatSync(fd);
    return facts.isFile() || (facts.isCharacterDevice() && !process[fd === 1 ? "stdout" : "stderr"].isTTY);
  } catch {
    return false;
  }
}

/** Writes to files to the last byte. Node writes what fits of a text, says nothing of the rest, and throws when nothing fits. */
function writeWhole(stream: Writable, fd: number, fail: (error: Error) => void): void {
  stream._write = (chunk: Uint8Array | string, encoding, done) => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    } catch (error) {
      fail(error as Error);
    }
    done();
  };
}
