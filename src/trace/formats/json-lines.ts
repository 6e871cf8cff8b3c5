import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { textLines } from "../text-lines.ts";

/** An object on a line of a JSON-lines file, with readers that name file and line when a field is not as expected. */
export class JsonLine {
  readonly file: string;
  readonly line: number;
  readonly #fields: { readonly [key: string]: Json | undefined };

  constructor(file: string, line: number, fields: { readonly [key: string]: Json }) {
    this.file = file;
    this.line = line;
    this.#fields = fields;
  }

  has(key: string): boolean {
    return this.#fields[key] !== undefined;
  }

  text(key: string): string {
    const value = this.#fields[key];
    return typeof value === "string" ? value : this.#wrong(key, "text", value);
  }

  /** Text, or a number as text. */
  label(key: string): string {
    const value = this.#fields[key];
    return typeof value === "number" ? String(value) : this.text(key);
  }

  /** A whole number from 0 to below 2^32. */
  whole(key: string): number {
    const value = this.#fields[key];
    return isWhole(value) ? value : this.#wrong(key, "a whole number", value);
  }

  wholes(key: string): readonly number[] {
    const value = this.#fields[key];
    return Array.isArray(value) && value.length > 0 && value.every(isWhole)
      ? (value as readonly number[])
      : this.#wrong(key, "a list of whole numbers", value);
  }

  /** As many numbers as `count`. */
  numbers(key: string, count: number): readonly number[] {
    const value = this.#fields[key];
    return Array.isArray(value) && value.length === count && value.every((item) => typeof item === "number")
      ? (value as readonly number[])
      : this.#wrong(key, `a list of ${count} numbers`, value);
  }

  /** A list of lists of whole numbers. */
  wholeLists(key: string): readonly (readonly number[])[] {
    const value = this.#fields[key];
    const fits =
      Array.isArray(value) && value.length > 0 && value.every((row) => Array.isArray(row) && row.every(isWhole));
    return fits
      ? (value as readonly (readonly number[])[])
      : this.#wrong(key, "a list of lists of whole numbers", value);
  }

  /** As many lists of numbers as `like` has, each as long as the one there. */
  numberLists(key: string, like: readonly (readonly number[])[]): readonly (readonly number[])[] {
    const value = this.#fields[key];
    const fits =
      Array.isArray(value) &&
      value.length === like.length &&
      value.every(
        (row, i) => Array.isArray(row) && row.length === like[i]?.length && row.every((n) => typeof n === "number"),
      );
    return fits
      ? (value as readonly (readonly number[])[])
      : this.#wrong(key, `${like.length} lists of numbers, as there are ids`, value);
  }

  #wrong(at: string, expected: string, found: unknown): never {
    refuse({ file: this.file, line: this.line, at, expected, found });
  }
}

function isWhole(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

/** The objects of a JSON-lines file, plain or gzipped; blank lines are skipped. */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine> {
  for await (const { lines, firstLine } of textLines(path))
    for (const [i, text] of lines.entries()) {
      if (text.trim() === "") continue;
      const value = parseJson(text, path, firstLine + i);
      if (typeof value !== "object" || value === null || Array.isArray(value))
        refuse({ file: path, line: firstLine + i, expected: "a JSON object", found: value });
      yield new JsonLine(path, firstLine + i, value as { readonly [key: string]: Json });
    }
}

/** The first object of a text sample, or null when its first line is none. */
export function firstObject(text: string): { readonly [key: string]: Json } | null {
  const line = text.slice(0, text.indexOf("\n") === -1 ? text.length : text.indexOf("\n"));
  try {
    const value = parseJson(line, "");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as { readonly [key: string]: Json })
      : null;
  } catch {
    return null;
  }
}
