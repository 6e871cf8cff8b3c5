import { type ExitCode, exitCodes } from "../core/errors.ts";
import { type EndCode, watchSignals } from "../files/signals.ts";
import type { Io } from "./io.ts";
import { clearLine } from "./terminal-output.ts";

/** A watch over Ctrl-C and SIGTERM. */
export interface InterruptWatch {
  readonly signal: AbortSignal;
  /** Exit code of what was interrupted. */
  code(): ExitCode;
  /** Whether an error is that of the interrupt, of work that had nothing to keep. */
  ended(error: unknown): boolean;
  stop(): void;
}

let arrived: EndCode | null = null;

/** The first signal aborts, so that what there is can be reported; the second ends the process at once. */
export function watchInterrupts(io: Io): InterruptWatch {
  const controller = new AbortController();
  const { signal } = controller;
  arrived = null;
  watchSignals((code) => {
    // A progress line, and the ^C that a terminal shows, would stay before the message.
    const begin = io.progress ? clearLine : "";
    if (arrived !== null) {
      io.err(begin);
      process.exit(code);
    }
    arrived = code;
    io.err(`${begin}interrupted: finishing with what there is (again to quit at once)\n`);
    controller.abort();
  });
  return {
    signal,
    code: () => arrived ?? exitCodes.interrupted,
    ended: (error) => signal.aborted && error === signal.reason,
    stop: () => watchSignals(null),
  };
}

/** Exit code of the signal that interrupted this process, if one did. */
export const interruptCode = (): EndCode | null => arrived;
