import { refuse } from "../../../core/errors.ts";
import { type Json, parseJson } from "../../../core/json.ts";
import { plainBytes, textLines } from "../../text-lines.ts";
import type { TableRecord } from "./table-record.ts";

const recordCharsMax = 64 * 1024 * 1024;

/**
 * The records of a JSON file: one on each line, the entries of one list that is the whole file, or documents one after another
 * that spread over lines. `head` is the beginning of the file. Only one record is held at a time.
 */
export async function* jsonRecords(path: string, head: string): AsyncGenerator<readonly TableRecord[]> {
  const layout = layoutOf(head);
  if (layout === "lines") {
    for await (const { lines, firstLine } of textLines(path))
      yield lines.flatMap((text, i) =>
        text.trim() === "" ? [] : [{ file: path, line: firstLine + i, value: parseJson(text, path, firstLine + i) }],
      );
    return;
  }
  const cutter = new JsonCutter(path, layout === "list");
  const decoder = new TextDecoder();
  for await (const bytes of plainBytes(path)) yield cutter.push(decoder.decode(bytes, { stream: true }));
  yield cutter.push(decoder.decode());
  cutter.end();
}

function layoutOf(head: string): "lines" | "list" | "documents" {
  const text = head.trimStart();
  const first = text.split("\n", 1)[0] ?? "";
  let value: unknown;
  try {
    value = JSON.parse(first);
  } catch {
    return text.startsWith("[") ? "list" : "documents";
  }
  if (!Array.isArray(value)) return "lines";
  return value.every((entry) => typeof entry === "object" && entry !== null) ? "list" : "lines";
}

const code = (char: string) => char.charCodeAt(0);
const [quote, backslash, comma, feed] = [code('"'), code("\\"), code(","), code("\n")];
const opens = new Set([code("["), code("{")]);
const closes = new Set([code("]"), code("}")]);
const blanks = new Set([code(" "), code("\t"), code("\r"), feed]);

/** Cuts text that comes in pieces into JSON values: the entries of its one list, or values one after another. */
class JsonCutter {
  readonly #file: string;
  /** Depth at which records begin. */
  readonly #base: number;
  #line = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The unfinished record, in the pieces it came in; null between records. */
  #open: string[] | null = null;
  #openChars = 0;
  #openLine = 1;
  #separated = true;
  #entries = 0;
  #closed = false;

  constructor(file: string, list: boolean) {
    this.#file = file;
    this.#base = list ? 1 : 0;
  }

  push(text: string): TableRecord[] {
    const records: TableRecord[] = [];
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
        if (blanks.has(char)) continue;
        if (this.#begins(char)) {
          this.#open = [];
          this.#openChars = 0;
          this.#openLine = this.#line;
          from = i;
        } else continue;
      }
      if (char === quote) this.#inString = true;
      else if (opens.has(char)) this.#depth += 1;
      else if (closes.has(char)) {
        this.#depth -= 1;
        if (this.#depth < this.#base) {
          // The list ends right after a number.
          records.push(this.#close(text.slice(from, i)));
          this.#closed = true;
        } else if (this.#depth === this.#base) records.push(this.#close(text.slice(from, i + 1)));
      } else if (this.#depth === this.#base && (char === comma || blanks.has(char))) {
        records.push(this.#close(text.slice(from, i)));
        this.#separated ||= char === comma;
      }
    }
    if (this.#open !== null) this.#extend(text.slice(from));
    return records;
  }

  /** Whether a character outside records begins one; refuses what may not stand there. */
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
    if (closes.has(char)) {
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
    if (this.#openChars > recordCharsMax)
      refuse({ file: this.#file, line: this.#openLine, expected: `records of at most ${recordCharsMax} characters` });
  }

  #close(piece: string): TableRecord {
    this.#extend(piece);
    const text = (this.#open ?? []).join("");
    this.#open = null;
    this.#entries += 1;
    this.#separated = false;
    return { file: this.#file, line: this.#openLine, value: parseJson(text, this.#file, this.#openLine) };
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

/** The keys of the first record: what a JSON table has for columns. */
export function keysOf(value: Json): string[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** The first record in the beginning of a JSON file; undefined where it is longer. */
export function firstJson(head: string): Json | undefined {
  const layout = layoutOf(head);
  if (layout === "lines") return parseJson(head.trimStart().split("\n", 1)[0] ?? "", "");
  return new JsonCutter("", layout === "list").push(head)[0]?.value;
}
