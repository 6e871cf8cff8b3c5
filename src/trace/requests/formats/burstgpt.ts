import type { RequestFormat } from "../request-format.ts";

/**
 * BurstGPT (HPMLL/BurstGPT; Wang et al., arXiv 2401.17644): ChatGPT and GPT-4 traffic of a campus. Times are seconds;
 * a request that failed has 0 response tokens. The log type becomes the class.
 */
export const burstgpt: RequestFormat = {
  about: "BurstGPT CSV: Timestamp,[Session ID,Elapsed time,]Model,Request tokens,Response tokens,Total tokens,Log Type",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "Timestamp", prompt: "Request tokens", output: "Response tokens", class: "Log Type" },
      timeUnit: "s",
      blockTokens: null,
    },
  ],
};
