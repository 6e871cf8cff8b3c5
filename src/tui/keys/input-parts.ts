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
const clearsLine = "\u0015";
/** Control characters that mean something while a line is typed: Enter, Backspace, Ctrl+C and Esc. */
const typedControls = new Set(["\r", backspace, "\u0003", "\u001b"]);

/** Control characters that other keys than those with Ctrl send too. */
const otherKeys = new Set(["\b", "\t", "\n", "\r"]);

/** The key with Ctrl that sent a character, where it means nothing to a line that is typed; null for all else. */
export function heldWithControl(part: string): string | null {
  const letter = part.length === 1 ? String.fromCharCode(part.charCodeAt(0) + 96) : "";
  const isPartOfTyping = typedControls.has(part) || otherKeys.has(part) || part === clearsLine;
  return /^[a-z]$/.test(letter) && part < " " && !isPartOfTyping ? `ctrl+${letter}` : null;
}

const isControl = (part: string): boolean => part < " " || part === backspace;

/** Characters that come at once and are still keys: those of a fast typist over a slow line. More are a paste. */
const burstMax = 8;

/** What was read from a terminal, in parts: sequences, control characters, and texts. What is no key of a terminal is left out. */
export const inputParts = (chunk: string): string[] =>
  [...chunk.matchAll(parts)].flatMap(([part]) =>
    part.length > 1 && part.startsWith("\u001b") && !knownSequence.test(part) ? [] : [part],
  );

/** A part as keys. While a line is typed (`typed`) a text stays whole, and Ctrl+U empties it; else each character is a key, and a long text is a paste. A paste is text for a line, and no key. */
export function keysOfPart(part: string, typed: string | null): string[] {
  if (isPaste(part)) return typed === null ? [] : [pastedLine(part)].filter((text) => text !== "");
  if (typed === null) return isControl(part) ? [part] : [...part].length > burstMax ? [] : [...part];
  if (!isControl(part)) return [part];
  if (part === clearsLine) return [...typed].map(() => backspace);
  const one = part === "\n" ? "\r" : part === "\b" ? backspace : part;
  return part.length > 1 || typedControls.has(one) ? [one] : [];
}
