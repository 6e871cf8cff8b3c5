import { distance } from "fastest-levenshtein";

/** Longer words are not worth comparing, and hostile ones would take long. */
const longest = 100;

/** A beginning of this many letters counts as the word cut short. */
const prefixMin = 4;

/**
 * The candidate that a mistyped word most likely meant, or null when none is near: at most one edit for every three
 * letters (two for short words; in words of up to three letters, two only as a swap), upper and lower case alike; else the
 * only candidate that the word begins. Of equally near ones the first.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longest) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestEdits = Math.max(2, Math.floor(word.length / 3)) + 1;
  const continued: string[] = [];
  for (const candidate of candidates) {
    if (candidate.length > longest) continue;
    if (word.length >= prefixMin && candidate.toLowerCase().startsWith(wanted)) continued.push(candidate);
    const edits = distance(wanted, candidate.toLowerCase());
    if (word.length <= 3 && edits > 1 && letters(wanted) !== letters(candidate.toLowerCase())) continue;
    if (edits < bestEdits && edits < Math.max(word.length, candidate.length)) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best ?? (continued.length === 1 ? (continued[0] ?? null) : null);
}

const letters = (word: string) => Array.from(word).sort().join("");
