import type { Json } from "../../../core/json.ts";
import type { RequestFormat } from "../request-format.ts";

/** Records of AIPerf's `profile_export.jsonl` (ai-dynamo/aiperf): the requests of a run as they were sent. */
export const aiperf: RequestFormat = {
  about:
    "AIPerf records JSONL: metadata.request_start_ns, metrics.input_sequence_length, metrics.output_sequence_length",
  kind: "table",
  layouts: [
    {
      columns: {
        arrival: "metadata.request_start_ns",
        prompt: "metrics.input_sequence_length.value",
        output: "metrics.output_sequence_length.value",
      },
      timeUnit: "ns",
      blockTokens: null,
      warmUp: (cell) => !["profiling", null, undefined].includes(phaseOf(cell("metadata"))),
      failed: (cell) => given(cell("error")) || given(inside(cell("metadata"), "was_cancelled")),
    },
  ],
};

/** Later versions warm up before they profile, and record both. */
const phaseOf = (metadata: Json | undefined) => inside(metadata, "benchmark_phase") as string | null | undefined;

const given = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== false;

const inside = (value: Json | undefined, key: string): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[key]
    : undefined;
