import type { RequestFormat } from "../request-format.ts";

/**
 * Azure LLM inference traces of 2023 and 2024 (Azure/AzurePublicDataset; Patel et al., Splitwise, ISCA 2024). Times
 * have 7 fractional digits in 2023, 6 and an offset in 2024; all digits are kept.
 */
export const azure: RequestFormat = {
  about: "Azure LLM inference CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "TIMESTAMP", prompt: "ContextTokens", output: "GeneratedTokens" },
      timeUnit: null,
      blockTokens: null,
    },
  ],
};
