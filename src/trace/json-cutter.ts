import { refuse } from "../core/errors.ts";

/** A JSON value as text, and the line that it begins in. */
export interface JsonPiece {
  readonly text: string;
  readonly line: number;
}

/** The values of decompressed bytes that come in pieces, in batches: the entries of their one list, or one after another. */
export async function* jsonPieces(
  bytes: AsyncIterable<Uint8Array>,
  cutter: JsonCutter,
): AsyncGenerator<readonly JsonPiece[]> {
  const decoder = new TextDecoder();
  for await (const chunk of bytes) yield cutter.push(decoder.decode(chunk, { stream: true }));
  yield cutter.push(decoder.decode());
  cutter.end();
}

/** Cuts text that comes in pieces into JSON values: the entries of its one list, or values one after another. */
export class JsonCutter {
  readonly #file: string;
  readonly #charsMax: number;
  /** Depth at which values begin. */
  readonly #base: number;
  #line = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The unfinished value, in the pieces it came in; null between values. */
  #open: string[] | null = null;
  #openChars = 0;
  #openLine = 1;
  #separated = true;
  #entries = 0;
  #closed = false;

  constructor(file: string, list: boolean, charsMax: number) {
    this.#file = file;
    this.#charsMax = charsMax;
    this.#base = list ? 1 : 0;
  }

  push(text: string): JsonPiece[] {
    const pieces: JsonPiece[] = [];
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const char = text.charCodeAt(i);
      if (char === feed) this.#line += 1;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (char === backslash) this.#escaped = true;
        else if (char === quote) this.#inString = false;
        continue;
      }
      if (this.#open === null) {
        if (isBlank(char)) continue;
        if (this.#begins(char)) {
          this.#open = [];
          this.#openChars = 0;
          this.#openLine = this.#line;
          from = i;
        } else continue;
      }
      if (char === quote) this.#inString = true;
      else if (isOpening(char)) this.#depth += 1;
      else if (isClosing(char)) {
        this.#depth -= 1;
        if (this.#depth < this.#base) {
          // The list ends right after a number.
          pieces.push(this.#close(text.slice(from, i)));
          this.#closed = true;
        } else if (this.#depth === this.#base) pieces.push(this.#close(text.slice(from, i + 1)));
      } else if (this.#depth === this.#base && (char === comma || isBlank(char))) {
        pieces.push(this.#close(text.slice(from, i)));
        this.#separated ||= char === comma;
      }
    }
    if (this.#open !== null) this.#extend(text.slice(from));
    return pieces;
  }

  /** Whether a character outside values begins one; refuses what may not stand there. */
  #begins(char: number): boolean {
    const wrong = (expected: string): never => refuse({ file: this.#file, line: this.#line, expected });
    if (this.#closed) wrong("nothing after the end of the list");
    if (this.#base === 0) return true;
    if (this.#depth === 0) {
      this.#depth = 1;
      return false;
    }
    if (char === comma) {
      if (this.#separated) wrong("a value before the comma");
      this.#separated = true;
      return false;
    }
    if (isClosing(char)) {
      if (this.#separated && this.#entries > 0) wrong("a value after the comma");
      this.#depth = 0;
      this.#closed = true;
      return false;
    }
    if (!this.#separated && this.#entries > 0) wrong("a comma between values");
    return true;
  }

  #extend(piece: string): void {
    this.#open?.push(piece);
    this.#openChars += piece.length;
    if (this.#openChars > this.#charsMax)
      refuse({ file: this.#file, line: this.#openLine, expected: `values of at most ${this.#charsMax} characters` });
  }

  #close(piece: string): JsonPiece {
    this.#extend(piece);
    const text = (this.#open ?? []).join("");
    this.#open = null;
    this.#entries += 1;
    this.#separated = false;
    return { text, line: this.#openLine };
  }

  end(): void {
    if (this.#open !== null || (this.#base === 1 && !this.#closed))
      refuse({
        file: this.#file,
        line: this.#open === null ? this.#line : this.#openLine,
        expected: "JSON that is complete",
        found: "its end is missing",
      });
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const feed = 0x0a;
const isOpening = (char: number): boolean => char === 0x5b || char === 0x7b;
const isClosing = (char: number): boolean => char === 0x5d || char === 0x7d;
const isBlank = (char: number): boolean => char === 0x20 || char === feed || char === 0x0d || char === 0x09;
