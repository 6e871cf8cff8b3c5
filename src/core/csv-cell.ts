import { oneLine } from "./printable.ts";

/** Text as a CSV cell: quoted where needed, and disarmed with an apostrophe where a spreadsheet would see a formula. */
export function csvCell(text: string): string {
  const line = oneLine(text);
  const safe = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(line) ? `'${line}` : line;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
