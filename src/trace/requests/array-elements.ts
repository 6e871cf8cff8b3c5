import { refuse } from "../../core/errors.ts";

/** An element of a JSON array as text, and the line that it begins in. */
export interface ArrayElement {
  readonly text: string;
  readonly line: number;
}

/**
 * Elements of a JSON array that comes in pieces, by commas outside strings and brackets. What is between commas is for
 * the parser to judge; an array that does not end, or that something follows, is refused.
 */
export async function* arrayElements(
  pieces: AsyncIterable<Uint8Array>,
  file: string,
  charsMax: number,
): AsyncGenerator<readonly ArrayElement[]> {
  const decoder = new TextDecoder();
  const splitter = new ArraySplitter(file, charsMax);
  for await (const bytes of pieces) {
    const elements = splitter.take(decoder.decode(bytes, { stream: true }));
    if (elements.length > 0) yield elements;
  }
  const last = splitter.take(decoder.decode());
  if (last.length > 0) yield last;
  splitter.end();
}

class ArraySplitter {
  readonly #file: string;
  readonly #charsMax: number;
  /** 0 before the array, 1 in it, more inside an element; -1 after it. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  /** Line of the open element's first character, or null while there is none. */
  #startLine: number | null = null;
  #open: string[] = [];
  #openChars = 0;
  #any = false;

  constructor(file: string, charsMax: number) {
    this.#file = file;
    this.#charsMax = charsMax;
  }

  take(text: string): ArrayElement[] {
    const elements: ArrayElement[] = [];
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === backslash) this.#escaped = true;
        else if (code === quote) this.#inString = false;
        continue;
      }
      if (code === lineFeed) this.#line++;
      if (code <= 0x20 || code === byteOrderMark) continue;
      if (this.#depth === 0) {
        this.#depth = 1;
        from = i + 1;
        continue;
      }
      if (this.#depth < 0)
        refuse({ file: this.#file, line: this.#line, expected: "nothing after the closing bracket", found: text[i] });
      if (this.#depth === 1 && (code === comma || code === closeSquare)) {
        this.#append(text.slice(from, i));
        from = i + 1;
        const element = { text: this.#open.join(""), line: this.#startLine ?? this.#line };
        if (code === comma || this.#any || element.text.trim() !== "") elements.push(element);
        this.#any = true;
        this.#open = [];
        this.#openChars = 0;
        this.#startLine = null;
        if (code === closeSquare) this.#depth = -1;
        continue;
      }
      this.#startLine ??= this.#line;
      if (code === quote) this.#inString = true;
      else if (code === openBrace || code === openSquare) this.#depth++;
      else if (code === closeBrace || code === closeSquare) this.#depth = Math.max(1, this.#depth - 1);
    }
    if (this.#depth > 0) this.#append(text.slice(from));
    return elements;
  }

  end(): void {
    if (this.#depth >= 0)
      refuse({ file: this.#file, line: this.#line, expected: "a closing bracket at the end", found: "none" });
  }

  #append(text: string): void {
    this.#open.push(text);
    this.#openChars += text.length;
    if (this.#openChars > this.#charsMax)
      refuse({
        file: this.#file,
        line: this.#startLine ?? this.#line,
        expected: `elements of at most ${this.#charsMax} characters`,
      });
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openSquare = 0x5b;
const closeSquare = 0x5d;
const lineFeed = 0x0a;
const byteOrderMark = 0xfeff;
