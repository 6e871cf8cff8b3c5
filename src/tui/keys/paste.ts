import { stripVTControlCharacters } from "node:util";
import { oneLine } from "../../core/printable.ts";

/** What terminals put around a text that is pasted, where they are asked to. */
export const pasteBegin = "\u001b[200~";
export const pasteEnd = "\u001b[201~";

/** Whether a part of what was read is a paste. */
export const isPaste = (part: string): boolean => part.startsWith(pasteBegin);

/** A paste as the part of one line that it becomes: line feeds are spaces, and nothing in it is a key. */
export const pastedLine = (part: string): string => oneLine(stripVTControlCharacters(part.slice(pasteBegin.length)));
