import type { WriteStream } from "node:tty";
import { AlternateScreen } from "./alternate-screen.ts";
import type { Display, FrameCause } from "./display.ts";
import { changes } from "./painter.ts";

/** Frames of runs that go on follow one another at most so often. */
const frameMs = 100;

/** Frames on the second screen of the terminal: what differs from the last one is written. */
export class ScreenDisplay implements Display {
  private readonly out: WriteStream;
  private readonly frame: () => readonly string[];
  private readonly screen: AlternateScreen;
  /** What the terminal shows; null: not known. */
  private drawn: readonly string[] | null = null;
  private timer: NodeJS.Timeout | null = null;
  private drawnAtMs = 0;
  private isTaken = false;

  constructor(out: WriteStream, frame: () => readonly string[]) {
    this.out = out;
    this.frame = frame;
    this.screen = new AlternateScreen(out);
  }

  enter(): void {
    this.isTaken = true;
    this.forget();
    this.screen.enter();
  }

  show(cause: FrameCause): void {
    if (!this.isTaken) return;
    if (cause === "key") this.draw();
    else this.timer ??= setTimeout(() => this.draw(), Math.max(0, this.drawnAtMs + frameMs - performance.now()));
  }

  forget(): void {
    this.drawn = null;
  }

  leave(): void {
    this.isTaken = false;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.screen.leave();
  }

  close(): void {
    this.leave();
    this.screen.close();
  }

  private draw(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (!this.isTaken) return;
    // A terminal that is slow to take what was written gets the next frame later.
    if (this.out.writableNeedDrain) {
      this.out.once("drain", () => this.show("live"));
      return;
    }
    this.drawnAtMs = performance.now();
    const lines = this.frame();
    // Another size: what the terminal made of its lines is its own affair.
    const bytes = changes(this.drawn?.length === lines.length ? this.drawn : null, lines);
    this.drawn = lines;
    if (bytes !== "") this.out.write(bytes);
  }
}
