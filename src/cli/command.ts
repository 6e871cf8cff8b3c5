import type { Command } from "commander";
import type { ExitCode } from "../core/errors.ts";

/** Reports how a command ended, for commands whose outcome is more than success or an error. */
export type SetExitCode = (code: ExitCode) => void;

/**
 * Adds one command to the program. Its work is imported only when it runs, so that help stays quick. `whole` gives a program with all
 * commands.
 */
export type CommandRegistration = (program: Command, exit: SetExitCode, whole: () => Promise<Command>) => void;
