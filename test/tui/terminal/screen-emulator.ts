import { displayWidth } from "../../../src/report/display-width.ts";

/** A cell: its character, and the marks that it is shown with. "" is the second half of a wide character. */
interface Cell {
  readonly text: string;
  readonly marks: string;
}

const blank: Cell = { text: " ", marks: "" };

/**
 * A terminal as DEC made them: after a character in the last column the cursor stays on it, and what is erased then is that
 * character; the next one goes to the next line.
 */
export class ScreenEmulator {
  private readonly width: number;
  private readonly cells: Cell[][];
  private row = 0;
  private column = 0;
  private isFull = false;
  private marks: readonly string[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.cells = Array.from({ length: height }, () => new Array<Cell>(width).fill(blank));
  }

  write(bytes: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with it
    for (const [part, codes, final] of bytes.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|\P{M}\p{M}*/gsu))
      if (final === undefined) this.put(part);
      else this.obey(codes ?? "", final);
  }

  private obey(codes: string, final: string): void {
    switch (final) {
      case "H": {
        const [row = 1, column = 1] = codes.split(";").map(Number);
        this.row = (row || 1) - 1;
        this.column = (column || 1) - 1;
        this.isFull = false;
        return;
      }
      case "K":
        this.cells[this.row]!.fill(this.erased(), this.column);
        return;
      case "J":
        for (const line of this.cells) line.fill(this.erased());
        return;
      case "m":
        this.marks = codes === "" || codes === "0" ? [] : [...this.marks, codes];
        return;
      default:
        if (codes !== "?2026") throw new Error(`unknown sequence ${codes}${final}`);
    }
  }

  /** What is erased takes the marks that hold. */
  private erased(): Cell {
    return { text: " ", marks: this.marks.join(" ") };
  }

  private put(text: string): void {
    const wide = displayWidth(text);
    if (/[\p{Cc}]/u.test(text)) throw new Error(`control character ${JSON.stringify(text)}`);
    if (this.isFull || this.column + wide > this.width) {
      this.row++;
      this.column = 0;
      this.isFull = false;
    }
    const line = this.cells[this.row];
    if (line === undefined) throw new Error("the screen scrolled");
    line[this.column] = { text, marks: this.marks.join(" ") };
    for (let i = 1; i < wide; i++) line[this.column + i] = { text: "", marks: this.marks.join(" ") };
    if (this.column + wide === this.width) {
      this.column = this.width - 1;
      this.isFull = true;
    } else this.column += wide;
  }

  /** What is seen, with the marks of every cell. */
  shown(): readonly (readonly Cell[])[] {
    return this.cells;
  }
}
