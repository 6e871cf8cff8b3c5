import { printable } from "../core/printable.ts";

const onStandardError = (line: string): void => void process.stderr.write(`${printable(line)}\n`);
let hear = onStandardError;

/** Says what the process waits for. */
export const notice = (line: string): void => hear(line);

/** Hands notices to `hears` until it is called with null: standard error may be part of a screen. */
export function hearNotices(hears: ((line: string) => void) | null): void {
  hear = hears ?? onStandardError;
}
