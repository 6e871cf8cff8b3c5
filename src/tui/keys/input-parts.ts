import { isPaste, pastedLine } from "./paste.ts";

/** A sequence, a key with Alt, a control character, or text. */
const parts = new RegExp(
  [
    "\\u001b\\[[\\d;?<]*[A-Za-z~]",
    "\\u001bO[A-Za-z]",
    "\\u001b[^\\u001b[O]",
    "[\\u0000-\\u001f\\u007f]",
    "[^\\u0000-\\u001f\\u007f]+",
  ].join("|"),
  "gu",
);

/** Sequences of keys that screens know; others, such as the colours of pasted text, are none. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins them
const knownSequence = /^\u001b(?:\[(?:[ABCDFHZ]|[1-8]~|1;\d[ABCDFH]|[1-8];\d~)|O[ABCDFHPQRS]|[^[O])$/u;

const backspace = "\u007f";

const isControl = (part: string): boolean => part < " " || part === backspace;

/** Characters that come at once and are still keys: those of a fast typist over a slow line. More are a paste. */
const burstMax = 8;

/** What was read from a terminal, in parts: sequences, control characters, and texts. What is no key of a terminal is left out. */
export const inputParts = (chunk: string): string[] =>
  [...chunk.matchAll(parts)].flatMap(([part]) =>
    part.length > 1 && part.startsWith("\u001b") && !knownSequence.test(part) ? [] : [part],
  );

/** What a line takes for another key: the line feed of an unmarked paste is Enter. */
const inLine: Readonly<Record<string, string>> = { "\n": "\r", "\b": backspace };

/** A part as keys. While text is asked for (`isTyping`) a text stays whole; else each character is a key, and a long text is a paste. A paste is text for a line, and no key. */
export function keysOfPart(part: string, isTyping: boolean): string[] {
  if (isPaste(part)) return isTyping ? [pastedLine(part)].filter((text) => text !== "") : [];
  if (isTyping) return [inLine[part] ?? part];
  return isControl(part) ? [part] : [...part].length > burstMax ? [] : [...part];
}
