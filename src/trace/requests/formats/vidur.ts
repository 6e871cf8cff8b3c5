import type { RequestFormat } from "../request-format.ts";

const lengths = { prompt: "num_prefill_tokens", output: "num_decode_tokens" };

/**
 * Requests of Vidur (microsoft/vidur) and of what came from it: Sarathi-Serve, Etalon, Frontier. Times are seconds.
 * Frontier's later turns have no time of their own but a think time after the answer before; Etalon's traces of ShareGPT
 * and arXiv hold lengths alone.
 */
export const vidur: RequestFormat = {
  about:
    "Vidur CSV: arrived_at (s), num_prefill_tokens, num_decode_tokens; session_start_at, think_time of Frontier; lengths alone of Etalon",
  kind: "table",
  layouts: [
    { columns: { arrival: "arrived_at", ...lengths }, timeUnit: "s", blockTokens: null },
    {
      columns: { arrival: "session_start_at", wait: "think_time", session: "session_id", ...lengths },
      marks: ["session_start_at", "think_time"],
      timeUnit: "s",
      untimed: true,
      blockTokens: null,
    },
    { columns: lengths, marks: [], timeUnit: null, untimed: true, blockTokens: null },
  ],
};
