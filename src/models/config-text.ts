import { type Json, parseJson } from "../core/json.ts";

/**
 * Parses the text of a `config.json`. Python writes the bare words `Infinity`, `-Infinity` and `NaN`, which JSON does not
 * have (Nemotron's `time_step_limit` holds one); they become strings of the same spelling, so that a shape which depends
 * on one is refused with the word that was found, and a field that changes no shape does no harm.
 */
export function parseConfigText(text: string, file: string): Json {
  const words = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
  return parseJson(
    text.replace(words, (match) => (match.startsWith('"') ? match : `"${match}"`)),
    file,
  );
}
