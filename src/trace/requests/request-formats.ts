import { refuse } from "../../core/errors.ts";
import { azure } from "./formats/azure.ts";
import { bailian } from "./formats/bailian.ts";
import { burstgpt } from "./formats/burstgpt.ts";
import { llmservingsim } from "./formats/llmservingsim.ts";
import { mooncake } from "./formats/mooncake.ts";
import { vllmBench } from "./formats/vllm-bench.ts";
import type { RequestFormat } from "./request-format.ts";

/** Layouts of request traces that can be read, by the name a scenario uses. */
export const requestFormats = {
  azure,
  mooncake,
  bailian,
  burstgpt,
  "vllm-bench": vllmBench,
  llmservingsim,
} satisfies Record<string, RequestFormat>;

export type RequestFormatName = keyof typeof requestFormats;

/** The layout of a file that begins with `head`; refuses a file that has none of them. */
export function recogniseRequestFormat(head: string, file: string): RequestFormatName {
  const names = Object.keys(requestFormats) as RequestFormatName[];
  const name = names.find((candidate) => requestFormats[candidate].recognises(head));
  if (name !== undefined) return name;
  const known = names.map((candidate) => `${candidate} (${requestFormats[candidate].about})`).join("; ");
  return refuse({
    file,
    line: 1,
    expected: "a request trace in a known layout",
    found: head.split("\n", 1)[0]?.slice(0, 80),
    hint: known,
  });
}
