import { CommanderError } from "commander";
import { type ExitCode, exitCodes, MoecastError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { causeOf, isSystemError } from "../files/system-error.ts";
import { buildProgram } from "./program.ts";

/** Runs the words of a command line (without the program's name) and returns its exit code; never throws. */
export async function invoke(words: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  try {
    const program = await buildProgram((outcome) => {
      code = outcome;
    }, words);
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    code = report(error);
  }
  return code;
}

/** Errors meant for people print their message; anything else is a defect and prints where it happened. */
function report(error: unknown): ExitCode {
  // Commander has printed its message, or the help or version that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof MoecastError) {
    process.stderr.write(`${printable(error.message)}\n`);
    return error.exitCode;
  }
  // What the operating system refuses where nobody expected it, such as a full disk for a temporary file.
  if (isSystemError(error)) {
    process.stderr.write(
      `${printable(error.path === undefined ? error.message : `${error.path}: ${causeOf(error)}`)}\n`,
    );
    return exitCodes.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`internal error, please report it:\n${printable(text)}\n`);
  return exitCodes.internal;
}
