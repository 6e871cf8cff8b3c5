import type { Json } from "../../../core/json.ts";
import { withoutNonFinite } from "../../../core/non-finite.ts";
import type { Reject } from "../fields.ts";
import { tokenCount } from "../fields.ts";
import { jsonObject } from "../json-rows.ts";
import { moment } from "../moment.ts";
import type { RequestFormat } from "../request-format.ts";

const lengths = ["input_lens", "output_lens"] as const;
const times = "start_times";

/**
 * Result of `vllm bench serve --save-result --save-detailed`, or of SGLang's `bench_serving --output-details`: one JSON
 * document with an entry per request in `input_lens` and `output_lens` and, in vLLM's, in `start_times` (seconds of a
 * monotonic clock). A failed request has 0 output tokens.
 */
export const vllmBench: RequestFormat = {
  about:
    "vLLM bench serve JSON (--save-detailed): start_times (s), input_lens, output_lens; the lengths alone of SGLang's (--output-details)",
  kind: "document",
  timeUnit: "s",
  recognises: (head) =>
    head.trimStart().startsWith("{") &&
    (head.includes('"total_input_tokens"') || [times, ...lengths].some((key) => head.includes(`"${key}"`))),
  start: (sink) => (lines) => {
    const runs = lines.flatMap((text) => text.split("\n")).filter((line) => line.trimStart().startsWith("{"));
    if (runs.length > 1 && runs.every((line) => line.trimEnd().endsWith("}")))
      return sink.fatal({
        expected: "the result of one run",
        found: `${runs.length} runs`,
        hint: "keep one line of it",
      });
    const result = jsonObject(sink, withoutNonFinite(lines.join("\n")));
    if (result === null) return;
    const [inputs, outputs] = lengths.map((key) => list(result[key]));
    const starts = result[times] === undefined ? null : list(result[times]);
    if (!inputs || !outputs) {
      const hint = `${lengths.filter((key) => !list(result[key])).join(", ")} missing: record with --save-detailed or --output-details`;
      return sink.fatal({ expected: `the lists ${lengths.join(", ")}`, hint });
    }
    if (inputs.length !== outputs.length || (starts !== null && starts.length !== inputs.length)) {
      const found = [...(starts === null ? [] : [starts]), inputs, outputs].map(({ length }) => length).join(", ");
      return sink.fatal({ expected: "lists of one length", found });
    }
    const reject: Reject = (at, expected, found) => {
      sink.problem({ at, expected, found });
      return null;
    };
    for (const [index, prompt] of inputs.entries()) {
      const at = starts === null ? null : moment(starts[index], `${times}[${index}]`, reject);
      const promptTokens = tokenCount(prompt, `input_lens[${index}]`, reject);
      const outputTokens = tokenCount(outputs[index], `output_lens[${index}]`, reject);
      if ((starts === null || at !== null) && promptTokens !== null && outputTokens !== null)
        sink.row(null, { at, promptTokens, outputTokens });
    }
  },
};

const list = (value: Json | undefined): readonly Json[] | null =>
  Array.isArray(value) ? (value as readonly Json[]) : null;
