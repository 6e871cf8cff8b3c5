import { rmSync } from "node:fs";
import { cleanUpOnSignals } from "./signals.ts";

const present = new Set<string>();

/**
 * Notes a temporary file or folder that is removed when the process ends, however it is interrupted, unless it is
 * {@link forgotten} before. Only a kill leaves it behind.
 */
export function temporary(path: string): string {
  if (present.size === 0) {
    process.once("exit", removeAll);
    cleanUpOnSignals(true);
  }
  present.add(path);
  return path;
}

/** The temporary was removed, or is one no more. */
export function forgotten(path: string): void {
  if (!present.delete(path) || present.size > 0) return;
  process.off("exit", removeAll);
  cleanUpOnSignals(false);
}

function removeAll(): void {
  for (const path of present)
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Nobody is left to be told.
    }
}
