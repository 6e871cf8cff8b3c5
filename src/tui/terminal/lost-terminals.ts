import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/** Closes terminals that are gone. Node gives each that it began with its mode back when it ends, and aborts where it cannot. */
export function closeLostTerminals(): void {
  for (const { isTTY, fd } of [process.stdin, process.stdout, process.stderr]) {
    if (!isTTY || isatty(fd)) continue;
    try {
      closeSync(fd);
    } catch {
      // It is closed already.
    }
  }
}
