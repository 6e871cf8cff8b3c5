import { endOfString } from "./json-strings.ts";

/**
 * JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` may stand bare where numbers do, as in the unlimited request
 * rate of SGLang's benchmark. NaN becomes null, which is not stated; an infinity becomes its name, which is no number.
 */
export function withoutNonFinite(text: string): string {
  const parts: string[] = [];
  let from = 0;
  const bare = /"|NaN|-?Infinity/g;
  for (let found = bare.exec(text); found !== null; found = bare.exec(text)) {
    const [word] = found;
    if (word === '"') {
      bare.lastIndex = endOfString(text, found.index);
      continue;
    }
    parts.push(text.slice(from, found.index), word === "NaN" ? "null" : `"${word}"`);
    from = bare.lastIndex;
  }
  return from === 0 ? text : [...parts, text.slice(from)].join("");
}
