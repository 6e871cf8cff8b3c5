import type { Architecture } from "./architecture.ts";
import { onlyValue, readNumber } from "./config-values.ts";
import { readDeepseekFeedForward } from "./deepseek-moe.ts";
import { readLatentAttention } from "./latent-attention.ts";
import { readGroups } from "./routing-rules.ts";

/**
 * DeepSeek-V2 and V2-Lite (arXiv 2405.04434): softmax scores, optionally limited to the groups with the best expert, and
 * scaled without renormalisation. Renormalisation is refused: the published code then drops the scale, transformers keeps
 * it and does not renormalise; no released model asks for it.
 */
export const deepseekV2: Architecture = {
  id: "deepseek-v2",
  layers(reader, sizes) {
    const attention = readLatentAttention(reader, sizes, true);
    const feedForward = readDeepseekFeedForward(reader, sizes, false, (counts) => {
      onlyValue(reader, "scoring_func", "softmax");
      onlyValue(reader, "norm_topk_prob", false);
      const method = reader.raw("topk_method") ?? "greedy";
      if (method !== "greedy" && method !== "group_limited_greedy")
        reader.problem("topk_method", "greedy or group_limited_greedy", method);
      if (method === "greedy") reader.skip(["n_group", "topk_group"]);
      return {
        scoring: "softmax",
        normalisesTopK: false,
        scale: readNumber(reader, ["routed_scaling_factor"]),
        groups: method === "greedy" ? null : readGroups(reader, counts, "max"),
      };
    });
    return (index, prefix) => ({ attention: attention(prefix), feedForward: feedForward(index, prefix) });
  },
};
