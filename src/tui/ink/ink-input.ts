import { PassThrough } from "node:stream";
import { heldWithControl, keysOfPart } from "../keys/input-parts.ts";
import { InputReader } from "../keys/input-reader.ts";

/** Where keys go. */
export interface KeyTarget {
  /** Whether what hears keys is what is shown: until then they wait. */
  readonly isReady: () => boolean;
  /** What has been typed so far; null where no line is being typed. */
  readonly line: () => string | null;
  /** Hears of keys with Ctrl that are no part of a line, while one is typed. */
  readonly pressed: (key: string) => void;
}

/** A terminal that Ink reads from: key by key, whatever came at once, with a turn of the loop between them, in which Ink draws. */
export class InkInput extends PassThrough {
  readonly isTTY = true;
  private readonly target: KeyTarget;
  private readonly waiting: string[] = [];
  private isAtWork = false;

  constructor(stdin: NodeJS.ReadStream, target: KeyTarget) {
    // Each key is a chunk of its own.
    super({ objectMode: true });
    this.target = target;
    const reader = new InputReader();
    stdin.setEncoding("utf8");
    stdin.on("data", (chunk: string) => {
      this.waiting.push(...reader.read(chunk));
      if (!this.isAtWork) this.next();
    });
  }

  private next(): void {
    const [part] = this.waiting;
    this.isAtWork = part !== undefined;
    if (part === undefined) return;
    const { isReady, line, pressed } = this.target;
    if (!isReady()) {
      setTimeout(() => this.next(), 1);
      return;
    }
    this.waiting.shift();
    const typed = line();
    const held = typed === null ? null : heldWithControl(part);
    if (held !== null) pressed(held);
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
