import { formatCount, formatPercent } from "../core/units.ts";
import { oneLine } from "../report/safe-text.ts";
import type { Io } from "./io.ts";

/** A line on stderr that says how far a run is. */
export interface ProgressLine {
  readonly update: (done: number, total: number) => void;
  /** Removes the line. */
  readonly clear: () => void;
}

const silentMs = 10_000;

/**
 * Redrawn on a terminal; elsewhere a line every ten seconds, and none for a run that is shorter. `units` is what is
 * counted.
 */
export function progressLine(io: Io, file: string, units = "requests"): ProgressLine {
  const name = oneLine(file);
  let shown = -1;
  let next = Date.now() + silentMs;
  const text = (share: number, total: number) =>
    `${name}: ${formatPercent(share, 0)} of ${formatCount(total)} ${units}`;
  return {
    update: (done, total) => {
      const share = total === 0 ? 1 : done / total;
      const percent = Math.floor(share * 100);
      if (io.progress) {
        if (percent === shown) return;
        shown = percent;
        io.err(`\r\u001b[K${text(share, total)}`);
      } else if (Date.now() > next) {
        next = Date.now() + silentMs;
        io.err(`${text(share, total)}\n`);
      }
    },
    clear: () => {
      if (shown >= 0) io.err("\r\u001b[K");
      shown = -1;
    },
  };
}
