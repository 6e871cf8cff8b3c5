import type { RequestFormat } from "../request-format.ts";

/** Requests of inference-perf's `per_request_lifecycle_metrics.json` (kubernetes-sigs), a JSON array, times in seconds. */
export const inferencePerf: RequestFormat = {
  about: "inference-perf per-request JSON: start_time (s), info.input_tokens, info.output_tokens",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "start_time", prompt: "info.input_tokens", output: "info.output_tokens" },
      timeUnit: "s",
      blockTokens: null,
      failed: (cell) => cell("error") !== undefined && cell("error") !== null,
    },
  ],
};
