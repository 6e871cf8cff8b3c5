import type { RequestFormat } from "../request-format.ts";

/** Requests of splitwise-sim (Mutinifni/splitwise-sim; Patel et al., ISCA 2024), times in seconds. */
export const splitwise: RequestFormat = {
  about:
    "splitwise-sim CSV: request_id, request_type, application_id, arrival_timestamp (s), batch_size, prompt_size, token_size",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "arrival_timestamp", prompt: "prompt_size", output: "token_size" },
      timeUnit: "s",
      blockTokens: null,
      refuses: (cell) => {
        const batch = cell("batch_size");
        if (batch === undefined || Number(batch) === 1) return null;
        return { at: "batch_size", expected: "1, a sequence for each request", found: batch };
      },
    },
  ],
};
