import { csvRows, hasColumns } from "../csv-rows.ts";
import { instantFromNanoseconds, instantFromSeconds, type Reject, tokenCount } from "../fields.ts";
import { hasKeys, jsonRows } from "../json-rows.ts";
import type { RequestFormat, RequestRow } from "../request-format.ts";

const columns = ["arrival_time_ns", "input_toks", "output_toks"];

/**
 * LLMServingSim requests (casys-kaist/LLMServingSim), as CSV or JSON lines, arrivals in nanoseconds. The rows that its
 * benchmark of a live server writes are read too: they have `arrival_time` in seconds instead.
 */
export const llmservingsim: RequestFormat = {
  about: "LLMServingSim CSV or JSONL: arrival_time_ns (or arrival_time, s), input_toks, output_toks",
  unit: "lines",
  blockTokens: null,
  recognises: (head) => hasColumns(head, columns) || hasKeys(head, ["input_toks", "output_toks"]),
  start: (sink) => {
    const csv = csvRows(sink, columns, (cells, reject) => rowOf(cells, reject));
    const json = jsonRows(sink, (row, reject) => rowOf((key) => row[key], reject));
    let reader: typeof csv | null = null;
    return (lines, firstLine) => {
      reader ??= lines
        .find((line) => line.trim() !== "")
        ?.trimStart()
        .startsWith("{")
        ? json
        : csv;
      reader(lines, firstLine);
    };
  },
};

function rowOf(value: (key: string) => unknown, reject: Reject): RequestRow | null {
  const inSeconds = value("arrival_time_ns") === undefined && value("arrival_time") !== undefined;
  const at = inSeconds
    ? instantFromSeconds(value("arrival_time"), "arrival_time", reject)
    : instantFromNanoseconds(value("arrival_time_ns"), "arrival_time_ns", reject);
  const promptTokens = tokenCount(value("input_toks"), "input_toks", reject);
  const outputTokens = tokenCount(value("output_toks"), "output_toks", reject);
  return at === null || promptTokens === null || outputTokens === null ? null : { at, promptTokens, outputTokens };
}
