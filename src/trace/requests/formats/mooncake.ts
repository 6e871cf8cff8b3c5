import { blockIds, instantFromMilliseconds, tokenCount } from "../fields.ts";
import { hasKeys, jsonRows } from "../json-rows.ts";
import type { RequestFormat } from "../request-format.ts";

/**
 * Mooncake traces (kvcache-ai/Mooncake, FAST 2025): times in milliseconds from the start, prefix blocks of 512 tokens.
 * The conversation trace is quantised to about 3 s.
 */
export const mooncake: RequestFormat = {
  about: "Mooncake JSONL: timestamp (ms), input_length, output_length, hash_ids (512-token blocks)",
  unit: "lines",
  blockTokens: 512,
  recognises: (head) => hasKeys(head, ["timestamp", "input_length", "output_length"]) && !hasKeys(head, ["chat_id"]),
  start: (sink) =>
    jsonRows(sink, (row, reject) => {
      const at = instantFromMilliseconds(row["timestamp"], "timestamp", reject);
      const promptTokens = tokenCount(row["input_length"], "input_length", reject);
      const outputTokens = tokenCount(row["output_length"], "output_length", reject);
      const hashIds = row["hash_ids"] === undefined ? undefined : blockIds(row["hash_ids"], "hash_ids", reject);
      if (at === null || promptTokens === null || outputTokens === null || hashIds === null) return null;
      return { at, promptTokens, outputTokens, ...(hashIds === undefined ? {} : { hashIds }) };
    }),
};
