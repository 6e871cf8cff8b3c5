import { endOfString } from "./json-strings.ts";

/**
 * JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` may stand bare where numbers do, as in the unlimited request
 * rate of SGLang's benchmark. An infinity becomes its name, which is no number; NaN becomes null, which is not stated, or
 * its name too. Every match is short: a pattern that spans a whole text overflows the stack of the matcher.
 */
export function withoutNonFinite(text: string, nan: "null" | '"NaN"' = "null"): string {
  const parts: string[] = [];
  let from = 0;
  const bare = /"|NaN|-?Infinity/g;
  for (let found = bare.exec(text); found !== null; found = bare.exec(text)) {
    const [word] = found;
    if (word === '"') {
      bare.lastIndex = endOfString(text, found.index);
      continue;
    }
    parts.push(text.slice(from, found.index), word === "NaN" ? nan : `"${word}"`);
    from = bare.lastIndex;
  }
  return from === 0 ? text : [...parts, text.slice(from)].join("");
}
