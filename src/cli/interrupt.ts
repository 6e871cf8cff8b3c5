import { exitCodes } from "../core/errors.ts";
import type { Io } from "./io.ts";
import { clearLine } from "./terminal-output.ts";

/** A watch over Ctrl-C. */
export interface InterruptWatch {
  readonly signal: AbortSignal;
  stop(): void;
}

/** The first Ctrl-C aborts the signal, so that what there is can be reported; the second ends the process at once. */
export function watchInterrupts(io: Io): InterruptWatch {
  const controller = new AbortController();
  const onInterrupt = () => {
    // A progress line, and the ^C that a terminal shows, would stay before the message.
    const begin = io.progress ? clearLine : "";
    if (controller.signal.aborted) {
      io.err(begin);
      process.exit(exitCodes.interrupted);
    }
    io.err(`${begin}interrupted: finishing with what there is (again to quit at once)\n`);
    controller.abort();
  };
  process.on("SIGINT", onInterrupt);
  return {
    signal: controller.signal,
    stop: () => void process.off("SIGINT", onInterrupt),
  };
}
