import type { RequestFormat } from "../request-format.ts";

/** Workloads that ServeGen writes (alibaba/ServeGen; Xiang et al., arXiv 2505.09999), times in seconds. */
export const servegen: RequestFormat = {
  about: "ServeGen CSV: request_id, timestamp (s), input_tokens, output_tokens",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "timestamp", prompt: "input_tokens", output: "output_tokens" },
      marks: ["request_id", "timestamp"],
      timeUnit: "s",
      unitVaries: true,
      blockTokens: null,
      // Names that anybody may choose.
      remarks: () => "read as a workload of ServeGen: times count seconds, unless they are dates or Unix times",
    },
  ],
};
