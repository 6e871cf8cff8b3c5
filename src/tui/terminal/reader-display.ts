import type { WriteStream } from "node:tty";
import type { Display, FrameCause } from "./display.ts";

/** A run that goes on is told of at most so often: a listener cannot skip. */
const liveMs = 15_000;

/** Frames for screen readers: lines of text one after the other, when a key asks for them, without what is drawn. */
export class ReaderDisplay implements Display {
  private readonly out: WriteStream;
  private readonly frame: () => readonly string[];
  private told = new Set<string>();
  private toldAtMs = 0;
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
    if (cause === "live" && performance.now() < this.toldAtMs + liveMs) return;
    this.toldAtMs = performance.now();
    const lines = this.frame()
      .map(spoken)
      .filter((line) => line !== "");
    // What was said with the last frame is not said again.
    const news = lines.filter((line) => !this.told.has(line));
    this.told = new Set(lines);
    for (const line of news) this.out.write(`${line}\r\n`);
  }

  forget(): void {
    this.told.clear();
  }

  leave(): void {
    this.isTaken = false;
  }

  close(): void {
    this.leave();
  }
}

/** A line without bars, axes and runs of blanks. */
const spoken = (line: string): string =>
  line
    .replace(/[-=#*.+|^~_@]{3,}/g, " ")
    .replace(/\s+/g, " ")
    .trim();
