import { type Json, parseJson } from "../core/json.ts";
import { withoutNonFinite } from "../core/non-finite.ts";

/**
 * Parses the text of a `config.json`. Bare words that JSON does not have (Nemotron's `time_step_limit` holds one) become
 * strings of the same spelling, so that a shape which depends on one is refused with the word that was found, and a field
 * that changes no shape does no harm.
 */
export function parseConfigText(text: string, file: string): Json {
  return parseJson(withoutNonFinite(text, '"NaN"'), file);
}
