import { type Json, parseJson } from "../../../core/json.ts";
import { JsonCutter, jsonPieces } from "../../json-cutter.ts";
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
  const cutter = new JsonCutter(path, layout === "list", recordCharsMax);
  for await (const pieces of jsonPieces(plainBytes(path), cutter))
    yield pieces.map(({ text, line }) => ({ file: path, line, value: parseJson(text, path, line) }));
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

/** The keys of the first record: what a JSON table has for columns. */
export function keysOf(value: Json): string[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** The first record in the beginning of a JSON file; undefined where it is longer. */
export function firstJson(head: string): Json | undefined {
  const layout = layoutOf(head);
  if (layout === "lines") return parseJson(head.trimStart().split("\n", 1)[0] ?? "", "");
  const [first] = new JsonCutter("", layout === "list", recordCharsMax).push(head);
  return first === undefined ? undefined : parseJson(first.text, "", first.line);
}
