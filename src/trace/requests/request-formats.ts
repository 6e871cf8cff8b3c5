import { refuse } from "../../core/errors.ts";
import { headerNames } from "./csv-rows.ts";
import { aiperf } from "./formats/aiperf.ts";
import { azure } from "./formats/azure.ts";
import { bailian } from "./formats/bailian.ts";
import { blis } from "./formats/blis.ts";
import { burstgpt } from "./formats/burstgpt.ts";
import { inferencePerf } from "./formats/inference-perf.ts";
import { llmservingsim } from "./formats/llmservingsim.ts";
import { mooncake } from "./formats/mooncake.ts";
import { servegen } from "./formats/servegen.ts";
import { splitwise } from "./formats/splitwise.ts";
import { vidur } from "./formats/vidur.ts";
import { vllmBench } from "./formats/vllm-bench.ts";
import { firstRecord, looksLikeJson } from "./head-record.ts";
import type { RequestFormat, TableLayout } from "./request-format.ts";
import { columnsOf, requiredColumns } from "./table-columns.ts";

/** Layouts of request traces that can be read, by the name a scenario uses. */
export const requestFormats = {
  azure,
  bailian,
  mooncake,
  burstgpt,
  vidur,
  splitwise,
  blis,
  servegen,
  aiperf,
  "inference-perf": inferencePerf,
  "vllm-bench": vllmBench,
  llmservingsim,
} as const satisfies Record<string, RequestFormat>;

export type RequestFormatName = keyof typeof requestFormats;

const formatNames = Object.keys(requestFormats) as RequestFormatName[];

/** The first layout of a format that a file has which begins with `head`, or null. */
export function layoutIn(format: RequestFormat & { kind: "table" }, head: string): TableLayout | null {
  const columnNames = looksLikeJson(head) ? null : headerNames(head);
  const record = columnNames === null ? firstRecord(head) : null;
  const has = (layout: TableLayout) =>
    requiredColumns(layout, columnsOf(layout.columns)).every((column) =>
      columnNames === null ? record?.has(column) === true : columnNames.includes(column.name),
    );
  return format.layouts.find(has) ?? null;
}

/** Whether a file that begins with this text has the format. */
function recognises(format: RequestFormat, head: string): boolean {
  return format.kind === "document" ? format.recognises(head) : layoutIn(format, head) !== null;
}

/** The format of a file that begins with `head`; refuses a file that has none of them. */
export function recogniseRequestFormat(head: string, file: string): RequestFormatName {
  const name = formatNames.find((candidate) => recognises(requestFormats[candidate], head));
  if (name !== undefined) return name;
  const found = head.trimStart().split("\n", 1)[0]?.slice(0, 80);
  const record = looksLikeJson(head) ? firstRecord(head) : null;
  if (record?.hasText("hash_id_scope"))
    return refuse({
      file,
      line: 1,
      expected: "requests, and answers that they wait for in wait_for",
      found: "a versioned agentic trace, whose requests wait for the start of others too",
      hint: "such dependencies are not simulated",
    });
  const text = textKeys.find((key) => record?.hasText(key));
  if (text !== undefined)
    return refuse({
      file,
      line: 1,
      expected: "requests with numbers of tokens",
      found: `${text}: text`,
      hint: "count prompt and answer with the model's tokenizer, and write input_length and output_length",
    });
  return refuse({
    file,
    line: 1,
    expected: `a request trace in a known layout: ${formatNames.join(", ")}`,
    found,
    hint: "name its columns, as in arrival=timestamp,prompt=input_tokens,output=output_tokens (--map, or columns in a scenario)",
  });
}

/** Keys under which requests hold text instead of numbers of tokens. */
const textKeys = [
  "messages",
  "text_input",
  "conversations",
  "conversation",
  "prompt",
  "payload",
  "text",
  "texts",
  "turns",
];
