import type { Command } from "commander";
import { commandTree } from "./completion/command-tree.ts";
import { knownValues } from "./completion/known-values.ts";
import { type ShellName, shells } from "./completion/shells.ts";

/** The completion script of a whole program for a shell. */
export const completionScript = (program: Command, shell: ShellName): string =>
  shells[shell](commandTree(program, knownValues));
