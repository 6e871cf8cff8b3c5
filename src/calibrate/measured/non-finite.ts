/**
 * JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` may stand bare where numbers do, as in the unlimited request
 * rate of SGLang's benchmark. NaN becomes null, which is not stated; an infinity becomes its name, which is no number.
 */
export function withoutNonFinite(text: string): string {
  if (!/NaN|Infinity/.test(text)) return text;
  const parts: string[] = [];
  let from = 0;
  for (const bare of bareWords(text)) {
    parts.push(text.slice(from, bare.at), bare.word === "NaN" ? "null" : `"${bare.word}"`);
    from = bare.at + bare.word.length;
  }
  parts.push(text.slice(from));
  return parts.join("");
}

const words = ["NaN", "-Infinity", "Infinity"] as const;

/** Where such words stand outside strings. */
function* bareWords(text: string): Generator<{ readonly at: number; readonly word: (typeof words)[number] }> {
  for (let at = 0; at < text.length; ) {
    if (text[at] === '"') {
      at = endOfString(text, at);
      continue;
    }
    const word = words.find((candidate) => text.startsWith(candidate, at));
    if (word !== undefined) yield { at, word };
    at += word?.length ?? 1;
  }
}

/** The position behind the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}
