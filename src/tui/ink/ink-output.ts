import { EventEmitter } from "node:events";

/**
 * A terminal that Ink writes to: each frame is a line or two of text that is handed on as it is. (Ink in its debug mode writes whole
 * frames, without moving the cursor.)
 */
export class InkOutput extends EventEmitter {
  readonly isTTY = true;
  readonly rows = 24;
  private readonly width: () => number;
  private readonly hear: (frame: string) => void;

  constructor(width: () => number, hear: (frame: string) => void) {
    super();
    this.width = width;
    this.hear = hear;
  }

  get columns(): number {
    return this.width();
  }

  write(text: string): boolean {
    this.hear(text.split("\n")[0] ?? "");
    return true;
  }
}
