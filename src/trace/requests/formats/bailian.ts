import type { RequestFormat } from "../request-format.ts";

/**
 * Qwen traffic on Alibaba Bailian (alibaba-edu/qwen-bailian-usagetraces-anon; Wang et al., KVCache in the Wild, ATC
 * 2025): times in seconds from the start, prefix blocks of 16 tokens. The request's type becomes the class. Turns of a
 * chat come when they came: each states its own time and its whole context.
 */
export const bailian: RequestFormat = {
  about: "Bailian JSONL: chat_id, timestamp (s), input_length, output_length, type, hash_ids (16-token blocks)",
  kind: "table",
  layouts: [
    {
      columns: {
        arrival: "timestamp",
        prompt: "input_length",
        output: "output_length",
        class: "type",
        prefix: "hash_ids",
      },
      marks: ["chat_id", "timestamp"],
      timeUnit: "s",
      unitVaries: true,
      blockTokens: 16,
    },
  ],
};
