import { oneLine } from "../core/printable.ts";
import { formatCount, formatDuration, formatPercent } from "../core/units.ts";
import { displayWidth } from "../report/display-width.ts";
import { bar } from "../report/text-table.ts";
import type { Io } from "./io.ts";
import { clearLine } from "./terminal-output.ts";

/** A line on stderr that says how far a run is. */
export interface ProgressLine {
  readonly update: (done: number, total: number) => void;
  /** Removes the line. */
  readonly clear: () => void;
}

const silentMs = 10_000;
const redrawMs = 1000;
/** A remaining time is an extrapolation: none is given before so much time. */
const etaAfterMs = 2000;

/** The first text that fits, else the beginning of the last. A line that wraps could not be emptied again. */
function fitted(texts: readonly string[], width: number): string {
  const found = texts.find((text) => displayWidth(text) <= width);
  if (found !== undefined) return found;
  let line = "";
  for (const char of texts.at(-1) ?? "") {
    if (displayWidth(line + char) > width) break;
    line += char;
  }
  return line;
}

/**
 * Redrawn on a terminal, with a bar; elsewhere a line every ten seconds, and none for a run that is shorter. `units` is
 * what is counted. The remaining time assumes the pace since the first update, which may be of a run taken up half-way.
 */
export function progressLine(io: Io, file: string, units = "requests", now: () => number = Date.now): ProgressLine {
  const name = oneLine(file);
  let shown = -1;
  let drawnAt = 0;
  let next = now() + silentMs;
  let first: { readonly done: number; readonly at: number } | null = null;
  const remaining = (done: number, total: number): string => {
    first ??= { done, at: now() };
    const [gone, advanced] = [now() - first.at, done - first.done];
    if (gone < etaAfterMs || advanced <= 0 || done >= total) return "";
    return `, about ${formatDuration(((total - done) / advanced) * gone * 1e6)} left`;
  };
  return {
    update: (done, total) => {
      const share = total === 0 ? 1 : done / total;
      const percent = Math.floor(share * 100);
      const text = `${formatPercent(share, 0)} of ${formatCount(total)} ${units}${remaining(done, total)}`;
      if (io.progress) {
        if (percent === shown && now() < drawnAt + redrawMs) return;
        shown = percent;
        drawnAt = now();
        io.err(
          `${clearLine}${fitted([`${name}: [${bar(share)}] ${text}`, `${name}: ${text}`, text], io.progressWidth())}`,
        );
      } else if (now() > next) {
        next = now() + silentMs;
        io.err(`${name}: ${text}\n`);
      }
    },
    clear: () => {
      if (shown >= 0) io.err(clearLine);
      shown = -1;
    },
  };
}

/** A line on stderr that says what is being done, for work whose length nobody knows. */
export interface ActivityLine {
  readonly say: (doing: string) => void;
  /** Removes the line. */
  readonly clear: () => void;
}

/** Redrawn on a terminal; elsewhere a line every ten seconds with what is being done then. */
export function activityLine(io: Io, what: string, now: () => number = Date.now): ActivityLine {
  const name = oneLine(what);
  let isShown = false;
  let next = now() + silentMs;
  return {
    say: (doing) => {
      const text = `${name}: ${oneLine(doing)}`;
      if (io.progress) {
        isShown = true;
        io.err(`${clearLine}${fitted([text], io.progressWidth())}`);
      } else if (now() > next) {
        next = now() + silentMs;
        io.err(`${text}\n`);
      }
    },
    clear: () => {
      if (isShown) io.err(clearLine);
      isShown = false;
    },
  };
}
