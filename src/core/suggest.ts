import { distance } from "fastest-levenshtein";

/** Longer words are not worth comparing, and hostile ones would take long. */
const longest = 100;

/** A beginning of this many letters counts as the word cut short. */
const prefixMin = 4;

/** Letters for each slip of the finger, of which there are three at most. */
const lettersPerSlip = 4;
const slipsMax = 3;

/**
 * The candidate that a mistyped word most likely meant, or null when none is near. Near is a candidate with a version
 * behind it (`glm4_moe_v2`); else one slip for every four letters (a letter wrong, missing, doubled, or two swapped),
 * whatever the case and the marks between words; else the only candidate that the word begins. Names that differ in a
 * number are not near: `qwen4_moe` is another model, not a slip. Of equally near ones the first.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longest) return null;
  const wanted = bare(word);
  const slips = Math.min(slipsMax, Math.max(1, Math.floor(wanted.length / lettersPerSlip)));
  let best: string | null = null;
  let bestEdits = slips + 1;
  let versioned = "";
  const continued: string[] = [];
  for (const candidate of candidates) {
    if (candidate.length > longest) continue;
    const name = bare(candidate);
    if (word.length >= prefixMin && name.startsWith(wanted)) continued.push(candidate);
    if (candidate.length > versioned.length && isVersionOf(word, candidate)) versioned = candidate;
    const edits = slipsBetween(wanted, name);
    if (edits < bestEdits && edits < Math.max(wanted.length, name.length)) {
      best = candidate;
      bestEdits = edits;
    }
  }
  if (versioned !== "" && bestEdits > 0) return versioned;
  if (best !== null) return best;
  return continued.length === 1 ? (continued[0] ?? null) : null;
}

const bare = (word: string): string => word.toLowerCase().replace(/[\s._-]/g, "");

/** Edits between two words; a swap of two letters is one, and another number is out of reach, unless it was left out. */
function slipsBetween(a: string, b: string): number {
  const [left, right] = [digits(a), digits(b)];
  if (!left.startsWith(right) && !right.startsWith(left)) return Number.POSITIVE_INFINITY;
  const edits = distance(a, b);
  return edits === 2 && a.length === b.length && sorted(a) === sorted(b) ? 1 : edits;
}

const digits = (word: string): string => word.replace(/\D/g, "");
const sorted = (word: string): string => Array.from(word).sort().join("");

/** Whether a word is a name with a version behind it, such as `_v2` or `-1.5`. */
const isVersionOf = (word: string, name: string): boolean =>
  word.toLowerCase().startsWith(name.toLowerCase()) && /^[\s._-]v?\d[\d._]*$/i.test(word.slice(name.length));
