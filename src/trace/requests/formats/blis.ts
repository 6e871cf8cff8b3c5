import type { RequestFormat } from "../request-format.ts";

/**
 * Trace v2 of BLIS (inference-sim/inference-sim): the CSV beside its YAML header, times in microseconds. The SLO class
 * becomes the class. Rounds of a session come when they came, each with its whole context.
 */
export const blis: RequestFormat = {
  about: "BLIS trace v2 CSV: arrival_time_us, input_tokens, output_tokens, slo_class, status",
  kind: "table",
  layouts: [
    {
      columns: { arrival: "arrival_time_us", prompt: "input_tokens", output: "output_tokens", class: "slo_class" },
      timeUnit: "us",
      blockTokens: null,
      failed: (cell) => !["ok", "", undefined].includes(cell("status") as string | undefined),
      remarks: (cell) =>
        [undefined, ""].includes(cell("prefix_group") as string | undefined)
          ? null
          : "prefix groups are not read: no prompt shares a prefix",
    },
  ],
};
