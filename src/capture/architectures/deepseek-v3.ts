import type { Architecture } from "./architecture.ts";
import { onlyValue, readFlag, readNumber } from "./config-values.ts";
import { readDeepseekFeedForward } from "./deepseek-moe.ts";
import { readLatentAttention } from "./latent-attention.ts";
import { readGroups } from "./routing-rules.ts";

/**
 * DeepSeek-V3 and R1 (arXiv 2412.19437), and Kimi K2, whose config.json names the same class: sigmoid scores, a bias for
 * the selection only, the groups with the best two experts, weights renormalised and then scaled. Layers of multi-token
 * prediction are not executed; their tensors are ignored.
 */
export const deepseekV3: Architecture = {
  id: "deepseek-v3",
  layers(reader, sizes) {
    const attention = readLatentAttention(reader, sizes, readFlag(reader, "rope_interleave", true));
    const feedForward = readDeepseekFeedForward(reader, sizes, true, (counts) => {
      onlyValue(reader, "scoring_func", "sigmoid");
      onlyValue(reader, "topk_method", "noaux_tc");
      return {
        scoring: "sigmoid",
        normalisesTopK: readFlag(reader, "norm_topk_prob", true),
        scale: readNumber(reader, ["routed_scaling_factor"]),
        groups: readGroups(reader, counts, "topTwo"),
      };
    });
    return (index, prefix) => ({ attention: attention(prefix), feedForward: feedForward(index, prefix) });
  },
};
