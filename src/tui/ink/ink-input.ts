import { PassThrough } from "node:stream";
import { heldWithControl, keysOfPart } from "../keys/input-parts.ts";
import { InputReader } from "../keys/input-reader.ts";

/** A terminal that Ink reads from: key by key, whatever came at once, with a turn of the loop between them, in which Ink draws. */
export class InkInput extends PassThrough {
  readonly isTTY = true;
  private readonly typed: () => string | null;
  private readonly pressed: (key: string) => void;
  private readonly waiting: string[] = [];

  /**
   * @param typed the line that is being typed; null where none is.
   * @param pressed hears of keys with Ctrl that are no part of a line, while one is typed.
   */
  constructor(stdin: NodeJS.ReadStream, typed: () => string | null, pressed: (key: string) => void) {
    // Each key is a chunk of its own.
    super({ objectMode: true });
    this.typed = typed;
    this.pressed = pressed;
    const reader = new InputReader();
    stdin.setEncoding("utf8");
    stdin.on("data", (chunk: string) => {
      const isIdle = this.waiting.length === 0;
      this.waiting.push(...reader.read(chunk));
      if (isIdle) this.next();
    });
  }

  private next(): void {
    const part = this.waiting.shift();
    if (part === undefined) return;
    const typed = this.typed();
    const held = typed === null ? null : heldWithControl(part);
    if (held !== null) this.pressed(held);
    const [first, ...rest] = keysOfPart(part, typed);
    if (first !== undefined) this.write(first);
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
