import { PassThrough } from "node:stream";
import { inputParts } from "../keys/input-parts.ts";

/** A terminal that Ink reads from: key by key, whatever came at once. */
export class InkInput extends PassThrough {
  readonly isTTY = true;

  /** @param typed the line that is being typed; null where none is. */
  constructor(stdin: NodeJS.ReadStream, typed: () => string | null) {
    // Each part is a chunk of its own.
    super({ objectMode: true });
    stdin.setEncoding("utf8");
    stdin.on("data", (chunk: string) => {
      for (const part of inputParts(chunk, typed())) this.write(part);
    });
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
