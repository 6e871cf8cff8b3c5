import { stripVTControlCharacters } from "node:util";
import { oneLine } from "../../core/printable.ts";

/** Bars, axes and rules of plainPalette. */
const drawn = /[-=#*.+|^~_@]{3,}/g;
/** The titles of all screens; before the one that is shown stands a sign. */
const titles = /^(?:moecast )?(?:\d+ \D+? )*>(\d+ \D+?)(?: \d+ \D+)*$/;
const chosen = /^> /;
/** Where a line was cut for lack of room. */
const cutMark = /(?:~|…)$/;

/** A line of a frame as it is said: without marks, bars, axes and runs of blanks. "" for one that has no word in it. */
export function spoken(line: string): string {
  const text = oneLine(stripVTControlCharacters(line).replace(drawn, " ")).replace(titles, "$1");
  return /[\p{L}\p{N}]/u.test(text) ? text : "";
}

/** Whether somebody who has heard `before` learns nothing from `line`: it is the same, but for where it is cut and for a choice that has left it. */
export function saysNothingNew(line: string, before: string): boolean {
  if (line === before) return true;
  if (chosen.test(line) && !chosen.test(before)) return false;
  const [now, then] = [line, before].map((text) => text.replace(chosen, ""));
  if (now === undefined || then === undefined) return false;
  const isCut = cutMark.test(now) || cutMark.test(then);
  const [one, other] = [now.replace(cutMark, ""), then.replace(cutMark, "")];
  return isCut ? one.startsWith(other) || other.startsWith(one) : now === then;
}
