import { csvRows, hasColumns } from "../csv-rows.ts";
import { instantFromCalendar, tokenCount } from "../fields.ts";
import type { RequestFormat } from "../request-format.ts";

const columns = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

/**
 * Azure LLM inference traces of 2023 and 2024 (Azure/AzurePublicDataset; Patel et al., Splitwise, ISCA 2024). Times
 * have 7 fractional digits in 2023, 6 and an offset in 2024; all digits are kept.
 */
export const azure: RequestFormat = {
  about: "Azure LLM inference CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
  unit: "lines",
  blockTokens: null,
  recognises: (head) => hasColumns(head, columns),
  start: (sink) =>
    csvRows(sink, columns, (cells, reject) => {
      const at = instantFromCalendar(cells("TIMESTAMP"), "TIMESTAMP", reject);
      const promptTokens = tokenCount(cells("ContextTokens"), "ContextTokens", reject);
      const outputTokens = tokenCount(cells("GeneratedTokens"), "GeneratedTokens", reject);
      if (at === null || promptTokens === null || outputTokens === null) return null;
      return { at, promptTokens, outputTokens };
    }),
};
