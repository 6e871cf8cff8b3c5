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

const isControl = (part: string): boolean => part < " " || part === backspace;

/**
 * What was read from a terminal, key by key: texts stay whole, control characters and sequences stand alone, and what is no key is left
 * out. `typed`: the line that is being typed; null where none is. Ctrl+U empties it.
 */
export function inputParts(chunk: string, typed: string | null): string[] {
  return [...chunk.matchAll(parts)].flatMap(([part]) => {
    if (part.length > 1 && part.startsWith("\u001b")) return knownSequence.test(part) ? [part] : [];
    if (typed === null || !isControl(part)) return [part];
    const one = part === "\n" ? "\r" : part === "\b" ? backspace : part;
    if (one === clearsLine) return [...typed].map(() => backspace);
    return typedControls.has(one) ? [one] : [];
  });
}
