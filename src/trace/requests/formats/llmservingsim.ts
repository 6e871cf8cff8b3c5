import type { RequestFormat } from "../request-format.ts";

const lengths = { prompt: "input_toks", output: "output_toks" };

/**
 * LLMServingSim requests (casys-kaist/LLMServingSim), as CSV or JSON lines, arrivals in nanoseconds. The rows that its
 * benchmark of a live server writes are read too: they have `arrival_time` in seconds instead.
 */
export const llmservingsim: RequestFormat = {
  about: "LLMServingSim CSV or JSONL: arrival_time_ns (or arrival_time, s), input_toks, output_toks",
  kind: "table",
  layouts: [
    { columns: { arrival: "arrival_time_ns", ...lengths }, timeUnit: "ns", blockTokens: null },
    { columns: { arrival: "arrival_time", ...lengths }, timeUnit: "s", blockTokens: null },
  ],
};
