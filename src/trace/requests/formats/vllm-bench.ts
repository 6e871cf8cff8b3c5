import type { Json } from "../../../core/json.ts";
import { instantFromSeconds, type Reject, tokenCount } from "../fields.ts";
import { jsonObject } from "../json-rows.ts";
import type { RequestFormat } from "../request-format.ts";

const arrays = ["start_times", "input_lens", "output_lens"];

/**
 * Result of `vllm bench serve --save-result --save-detailed`: one JSON document with an entry per request in
 * `start_times` (seconds of a monotonic clock), `input_lens` and `output_lens`. A failed request has 0 output tokens.
 */
export const vllmBench: RequestFormat = {
  about: "vLLM bench serve JSON (--save-detailed): start_times (s), input_lens, output_lens",
  unit: "document",
  blockTokens: null,
  recognises: (head) =>
    head.trimStart().startsWith("{") &&
    (head.includes('"total_input_tokens"') || arrays.some((key) => head.includes(`"${key}"`))),
  start: (sink) => (lines) => {
    const result = jsonObject(sink, lines.join("\n"));
    if (result === null) return;
    const [starts, inputs, outputs] = arrays.map((key) => list(result[key]));
    if (!starts || !inputs || !outputs) {
      const hint = `${arrays.filter((key) => !list(result[key])).join(", ")} missing: record with --save-detailed`;
      return sink.fatal({ expected: `the lists ${arrays.join(", ")}`, hint });
    }
    if (inputs.length !== starts.length || outputs.length !== starts.length) {
      const found = `${starts.length}, ${inputs.length} and ${outputs.length}`;
      return sink.fatal({ expected: `lists ${arrays.join(", ")} of one length`, found });
    }
    const reject: Reject = (at, expected, found) => {
      sink.problem({ at, expected, found });
      return null;
    };
    for (const [index, start] of starts.entries()) {
      const at = instantFromSeconds(start, `start_times[${index}]`, reject);
      const promptTokens = tokenCount(inputs[index], `input_lens[${index}]`, reject);
      const outputTokens = tokenCount(outputs[index], `output_lens[${index}]`, reject);
      if (at !== null && promptTokens !== null && outputTokens !== null)
        sink.row(null, { at, promptTokens, outputTokens });
    }
  },
};

const list = (value: Json | undefined): readonly Json[] | null =>
  Array.isArray(value) ? (value as readonly Json[]) : null;
