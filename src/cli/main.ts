#!/usr/bin/env node
import { CommanderError } from "commander";
import { type ExitCode, exitCodes, MoecastError, printable } from "../core/errors.ts";
import { buildProgram } from "./program.ts";

/** Errors meant for people print their message; anything else is a defect and prints where it happened. */
function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof MoecastError) {
    process.stderr.write(`${printable(error.message)}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`internal error, please report it:\n${printable(text)}\n`);
  return exitCodes.internal;
}

// A reader that closes the pipe early (head, less) ends the command quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

const program = buildProgram((code) => {
  process.exitCode = code;
});
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
