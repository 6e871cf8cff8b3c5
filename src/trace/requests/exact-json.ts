import { type Json, parseJson } from "../../core/json.ts";
import { endOfString } from "../../core/json-strings.ts";

/**
 * Parses JSON, with whole numbers of 16 digits and more as text: float64 would lose their last digits, so that two ids
 * of 64 bits could become one.
 */
export function parseExactJson(text: string, file: string, line?: number): Json {
  return parseJson(/\d{16}/.test(text) ? withLongNumbersQuoted(text) : text, file, line);
}

function withLongNumbersQuoted(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      i = endOfString(text, i);
      continue;
    }
    if (!isNumeric(code)) {
      i++;
      continue;
    }
    const start = i;
    while (i < text.length && isNumeric(text.charCodeAt(i))) i++;
    if (i - start < 16) continue;
    const number = text.slice(start, i);
    if (!/^-?[1-9]\d{15,}$/.test(number)) continue;
    parts.push(text.slice(copied, start), `"${number}"`);
    copied = i;
  }
  parts.push(text.slice(copied));
  return parts.join("");
}

const quote = 0x22;

/** Digits, signs, the point and exponents: what a number in JSON is made of. */
const isNumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;
