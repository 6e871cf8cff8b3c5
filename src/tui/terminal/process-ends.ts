import { type ExitCode, exitCodes } from "../../core/errors.ts";
import { closeLostTerminals } from "./lost-terminals.ts";

const signals = [
  ["SIGTERM", exitCodes.terminated],
  ["SIGHUP", exitCodes.terminated],
  ["SIGQUIT", exitCodes.terminated],
  ["SIGINT", exitCodes.interrupted],
] as const;

/** Hears what ends a session from outside: signals, a terminal that is gone, defects. Returns what stops the hearing. */
export function hearEnds(leave: (code: ExitCode) => void, broken: (error: unknown) => void): () => void {
  const { stdin, stdout } = process;
  const hungUp = () => leave(exitCodes.terminated);
  const handlers = signals.map(([signal, code]) => [signal, () => leave(code)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  process.on("uncaughtException", broken);
  stdin.on("end", hungUp).on("close", hungUp).on("error", hungUp);
  stdout.on("error", hungUp);
  process.on("exit", closeLostTerminals);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    process.off("uncaughtException", broken);
    // What is written to a terminal that is gone fails later, too.
    stdin.off("end", hungUp).off("close", hungUp);
  };
}
