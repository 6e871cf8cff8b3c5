import { blockIds, instantFromSeconds, tokenCount } from "../fields.ts";
import { hasKeys, jsonRows } from "../json-rows.ts";
import type { RequestFormat } from "../request-format.ts";

/**
 * Qwen traffic on Alibaba Bailian (alibaba-edu/qwen-bailian-usagetraces-anon; Wang et al., KVCache in the Wild, ATC
 * 2025): times in seconds from the start, prefix blocks of 16 tokens. The request's type becomes the class.
 */
export const bailian: RequestFormat = {
  about: "Bailian JSONL: chat_id, timestamp (s), input_length, output_length, type, hash_ids (16-token blocks)",
  unit: "lines",
  blockTokens: 16,
  recognises: (head) => hasKeys(head, ["chat_id", "timestamp", "input_length", "output_length"]),
  start: (sink) =>
    jsonRows(sink, (row, reject) => {
      const at = instantFromSeconds(row["timestamp"], "timestamp", reject);
      const promptTokens = tokenCount(row["input_length"], "input_length", reject);
      const outputTokens = tokenCount(row["output_length"], "output_length", reject);
      const hashIds = row["hash_ids"] === undefined ? undefined : blockIds(row["hash_ids"], "hash_ids", reject);
      if (at === null || promptTokens === null || outputTokens === null || hashIds === null) return null;
      const type = row["type"];
      return {
        at,
        promptTokens,
        outputTokens,
        ...(typeof type === "string" && type !== "" ? { className: type } : {}),
        ...(hashIds === undefined ? {} : { hashIds }),
      };
    }),
};
