import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { plainBytes, textLines } from "../../trace/text-lines.ts";

/** A document of plain text ends at the first line end after so many characters. */
export const plainDocumentChars = 1 << 18;

/**
 * The documents of a text file, streamed. JSON lines (`.jsonl`) hold one each: a string, or an object with `text` or
 * `prompt`. Any other file is plain text, cut into documents at line ends every 256 Ki characters, so that a text of
 * any length is read in bounded memory. Either may be gzipped.
 */
export async function* textDocuments(path: string): AsyncGenerator<string> {
  if (isJsonLines(path)) {
    for await (const { line, value } of jsonLines(path)) yield textOf(value, path, line);
    return;
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let open = "";
  for await (const bytes of plainBytes(path)) {
    open += utf8(() => decoder.decode(bytes, { stream: true }), path);
    for (let end = documentEnd(open); end > 0; end = documentEnd(open)) {
      yield open.slice(0, end);
      open = open.slice(end);
    }
  }
  open += utf8(() => decoder.decode(), path);
  if (open !== "") yield open;
}

/** The documents of a file of token ids: JSON lines, a list of whole numbers below `vocabSize` each. */
export async function* idDocuments(path: string, vocabSize: number): AsyncGenerator<readonly number[]> {
  for await (const { line, value } of jsonLines(path)) {
    const ids = Array.isArray(value) ? (value as readonly Json[]) : refuseIds(path, line, value, vocabSize);
    const wrong = ids.find((id) => typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (wrong !== undefined) refuseIds(path, line, wrong, vocabSize);
    yield ids as readonly number[];
  }
}

function refuseIds(file: string, line: number, found: unknown, vocabSize: number): never {
  refuse({ file, line, expected: `a list of token ids from 0 to ${vocabSize - 1}`, found });
}

const isJsonLines = (path: string) => /\.(jsonl|ndjson)(\.gz)?$/i.test(path);

async function* jsonLines(path: string): AsyncGenerator<{ line: number; value: Json }> {
  for await (const { lines, firstLine } of textLines(path))
    for (const [i, text] of lines.entries())
      if (text.trim() !== "") yield { line: firstLine + i, value: parseJson(text, path, firstLine + i) };
}

function textOf(value: Json, file: string, line: number): string {
  const fields = (typeof value === "object" ? value : {}) as Readonly<Record<string, Json | undefined>> | null;
  const text = typeof value === "string" ? value : (fields?.["text"] ?? fields?.["prompt"]);
  return typeof text === "string"
    ? text
    : refuse({ file, line, expected: "a text: a string, or an object with `text` or `prompt`", found: value });
}

function documentEnd(text: string): number {
  return text.length < plainDocumentChars ? 0 : text.indexOf("\n", plainDocumentChars - 1) + 1;
}

function utf8(decode: () => string, file: string): string {
  try {
    return decode();
  } catch {
    return refuse({ file, expected: "UTF-8 text" });
  }
}
