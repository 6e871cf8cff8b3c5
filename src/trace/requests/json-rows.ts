import { InvalidInputError } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import type { Reject } from "./fields.ts";
import type { RequestRow, RowSink, TextReader } from "./request-format.ts";

type JsonObject = { readonly [key: string]: Json };

/** Reads JSON lines: one object a row, blank lines skipped. */
export function jsonRows(sink: RowSink, decode: (row: JsonObject, reject: Reject) => RequestRow | null): TextReader {
  return (lines, firstLine) => {
    for (const [index, text] of lines.entries()) {
      if (text.trim() === "") continue;
      const line = firstLine + index;
      const value = jsonObject(sink, text, line);
      if (value === null) continue;
      const reject: Reject = (at, expected, found) => {
        sink.problem({ line, at, expected, found });
        return null;
      };
      const row = decode(value, reject);
      if (row !== null) sink.row(line, row);
    }
  };
}

/** One JSON object, or null with its problems noted. */
export function jsonObject(sink: RowSink, text: string, line?: number): JsonObject | null {
  const where = line === undefined ? {} : { line };
  try {
    const value = parseJson(text, "", line);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as JsonObject;
    sink.problem({ ...where, expected: "a JSON object", found: value });
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    for (const problem of error.problems) sink.problem(problem);
  }
  return null;
}

/** Whether the first object of a text has these keys; the object itself may be longer than the text. */
export function hasKeys(head: string, required: readonly string[]): boolean {
  const first = head.trimStart();
  return first.startsWith("{") && required.every((key) => (first.split("\n", 1)[0] ?? "").includes(`"${key}"`));
}
