import { distance } from "fastest-levenshtein";

/** Longer words are not worth comparing, and hostile ones would take long. */
const longest = 100;

/**
 * The candidate that a mistyped word most likely meant, or null when none is near: at most one edit for every three
 * letters (two for short words), upper and lower case alike. Of equally near ones the first.
 */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longest) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestEdits = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > longest) continue;
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < bestEdits && edits < Math.max(word.length, candidate.length)) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}
