import type { WriteStream } from "node:tty";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { Display, FrameCause } from "./display.ts";
import { saysNothingNew, spoken } from "./spoken.ts";

/** A run that goes on is told of at most so often: a listener cannot skip. */
const liveMs = 15_000;
/** What follows from a key comes within this time, and is said together. */
const togetherMs = 60;

/** Screens that are said: as wide as they are with one column, since two columns side by side would be said as one line. */
export const readerSize = (rows: number): Size => ({ width: 99, height: Math.max(24, rows) });

/** Frames for screen readers: lines of text one after the other, when a key asks for them, without what is drawn. */
export class ReaderDisplay implements Display {
  private readonly out: WriteStream;
  private readonly frame: () => readonly string[];
  private told: readonly string[] = [];
  private toldAtMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private dueMs = 0;
  private isTaken = false;

  constructor(out: WriteStream, frame: () => readonly string[]) {
    this.out = out;
    this.frame = frame;
  }

  enter(): void {
    this.isTaken = true;
    this.forget();
    this.toldAtMs = performance.now();
  }

  show(cause: FrameCause): void {
    if (!this.isTaken) return;
    const nowMs = performance.now();
    const dueMs = cause === "key" ? nowMs + togetherMs : Math.max(nowMs, this.toldAtMs + liveMs);
    if (this.timer !== null && this.dueMs <= dueMs) return;
    this.wait();
    this.dueMs = dueMs;
    this.timer = setTimeout(() => this.tell(), dueMs - nowMs);
  }

  forget(): void {
    this.told = [];
  }

  leave(): void {
    this.isTaken = false;
    this.wait();
  }

  close(): void {
    this.leave();
  }

  /** Until something is shown. */
  private wait(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private tell(): void {
    this.timer = null;
    this.toldAtMs = performance.now();
    const lines = this.frame()
      .map(spoken)
      .filter((line) => line !== "");
    // What was said with the last frame is not said again.
    const news = lines.filter((line) => !this.told.some((before) => saysNothingNew(line, before)));
    this.told = lines;
    for (const line of news) this.out.write(`${line}\r\n`);
  }
}
