import { bashCompletion } from "./bash.ts";
import type { CommandNode } from "./command-tree.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** Shells by name, each with the script that it reads: one line and one file each. */
export const shells = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Record<string, (tree: CommandNode) => string>;

export type ShellName = keyof typeof shells;
