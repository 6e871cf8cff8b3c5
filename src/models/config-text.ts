import { type Json, parseJson } from "../core/json.ts";

/**
 * Parses the text of a `config.json`. Python writes the bare words `Infinity`, `-Infinity` and `NaN`, which JSON does not
 * have (Nemotron's `time_step_limit` holds one); they become strings of the same spelling, so that a shape which depends
 * on one is refused with the word that was found, and a field that changes no shape does no harm.
 */
export function parseConfigText(text: string, file: string): Json {
  return parseJson(withWordsAsText(text), file);
}

/** Every match is short: a pattern that spans a whole text overflows the stack of the matcher on texts of megabytes. */
const marks = /\\.|"|-?\bInfinity\b|\bNaN\b/gs;

function withWordsAsText(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  let insideText = false;
  for (const { 0: mark, index } of text.matchAll(marks)) {
    if (mark === '"') insideText = !insideText;
    else if (!insideText && !mark.startsWith("\\")) {
      parts.push(text.slice(copied, index), `"${mark}"`);
      copied = index + mark.length;
    }
  }
  parts.push(text.slice(copied));
  return parts.join("");
}
