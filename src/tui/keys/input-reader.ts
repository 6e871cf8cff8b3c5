import { inputParts } from "./input-parts.ts";
import { pasteBegin, pasteEnd } from "./paste.ts";

/** A sequence whose end has not come yet. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins it
const unfinished = /\u001b\[[\d;?<]*$/;

/** Parts of what is read from a terminal, whichever way it is cut: keys, texts, and pastes (bracketed paste), each of them whole. */
export class InputReader {
  private begun = "";
  /** What has come of a paste whose end has not; null: none has begun. */
  private pasted: string | null = null;

  read(chunk: string): string[] {
    // A key that is pressed comes alone: the end of the paste is lost.
    if (chunk === "\u0003") this.pasted = null;
    const parts: string[] = [];
    let text = this.begun + chunk;
    this.begun = "";
    while (text !== "") {
      if (this.pasted === null) {
        const at = text.indexOf(pasteBegin);
        const keys = at < 0 ? text : text.slice(0, at);
        if (at < 0) this.begun = unfinished.exec(keys)?.[0] ?? "";
        parts.push(...inputParts(keys.slice(0, keys.length - this.begun.length)));
        if (at < 0) break;
        this.pasted = "";
        text = text.slice(at + pasteBegin.length);
      }
      // The end may be cut too, so it is looked for in what has come before.
      const from = Math.max(0, this.pasted.length - pasteEnd.length);
      this.pasted += text;
      const end = this.pasted.indexOf(pasteEnd, from);
      if (end < 0) break;
      parts.push(pasteBegin + this.pasted.slice(0, end));
      text = this.pasted.slice(end + pasteEnd.length);
      this.pasted = null;
    }
    return parts;
  }
}
