import { PassThrough } from "node:stream";
import { keysOfPart } from "../keys/input-parts.ts";
import { InputReader } from "../keys/input-reader.ts";

/** What the key sends, which Ink takes for Delete, and what Ink takes for it. */
const sentByBackspace = "\u007f";
const backspace = "\b";

/** A terminal that Ink reads from: key by key, whatever came at once, with a turn of the loop between them, in which each is heard. */
export class InkInput extends PassThrough {
  readonly isTTY = true;
  private readonly isTyping: () => boolean;
  private readonly waiting: string[] = [];
  private isAtWork = false;

  /** @param isTyping whether text is asked for: a text that comes at once stays whole then. */
  constructor(stdin: NodeJS.ReadStream, isTyping: () => boolean) {
    // Each key is a chunk of its own.
    super({ objectMode: true });
    this.isTyping = isTyping;
    const reader = new InputReader();
    stdin.setEncoding("utf8");
    stdin.on("data", (chunk: string) => {
      this.waiting.push(...reader.read(chunk));
      if (!this.isAtWork) this.next();
    });
  }

  private next(): void {
    const part = this.waiting.shift();
    this.isAtWork = part !== undefined;
    if (part === undefined) return;
    const [first, ...rest] = keysOfPart(part, this.isTyping());
    if (first !== undefined) this.write(first === sentByBackspace ? backspace : first);
    // What a key has changed decides what the next ones mean.
    if (rest.length > 0) this.waiting.unshift(...rest);
    setImmediate(() => this.next());
  }

  // The terminal itself is in raw mode for as long as screens are shown.
  setRawMode(): this {
    return this;
  }
  override setEncoding(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
