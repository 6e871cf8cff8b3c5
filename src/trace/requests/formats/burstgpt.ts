import { csvRows, hasColumns } from "../csv-rows.ts";
import { instantFromSeconds, tokenCount } from "../fields.ts";
import type { RequestFormat } from "../request-format.ts";

const columns = ["Timestamp", "Request tokens", "Response tokens"];

/**
 * BurstGPT (HPMLL/BurstGPT; Wang et al., arXiv 2401.17644): ChatGPT and GPT-4 traffic of a campus. Times are seconds;
 * a request that failed has 0 response tokens. The log type becomes the class.
 */
export const burstgpt: RequestFormat = {
  about: "BurstGPT CSV: Timestamp,[Session ID,Elapsed time,]Model,Request tokens,Response tokens,Total tokens,Log Type",
  unit: "lines",
  blockTokens: null,
  recognises: (head) => hasColumns(head, columns),
  start: (sink) =>
    csvRows(sink, columns, (cells, reject) => {
      const at = instantFromSeconds(cells("Timestamp"), "Timestamp", reject);
      const promptTokens = tokenCount(cells("Request tokens"), "Request tokens", reject);
      const outputTokens = tokenCount(cells("Response tokens"), "Response tokens", reject);
      if (at === null || promptTokens === null || outputTokens === null) return null;
      const className = cells("Log Type");
      return { at, promptTokens, outputTokens, ...(className ? { className } : {}) };
    }),
};
