import { InvalidInputError } from "../../src/core/errors.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { Config } from "./configs.ts";

type Verdict = "refused" | "assumed" | "ignored" | "read";

/** What becomes of one more key of a config. */
export function verdict(config: Config, key: string): Verdict {
  try {
    const { ignored, assumptions } = resolveConfig(config, { file: "config.json" });
    if (ignored.some((path) => path === key || path.endsWith(`.${key}`))) return "ignored";
    return assumptions.some((text) => text.includes(key)) ? "assumed" : "read";
  } catch (error) {
    if (error instanceof InvalidInputError && error.problems.some(({ at }) => at?.endsWith(key))) return "refused";
    throw error;
  }
}

/** Keys of attention, experts, layers and caches that no class of today has. */
export const looksLikeShape = [
  "num_memory_heads",
  "n_planes",
  "kv_share_every_n_layers",
  "shared_cache_layers",
  "window_schedule",
  "attention_pattern",
  "attention_block_size",
  "block_sparse_stride",
  "moba_blocks",
  "nsa_selected",
  "dsa_heads",
  "skip_layers",
  "layer_repeat",
  "hybrid_ratio",
  "global_every_n_tokens",
  "bottleneck_width",
  "bottleneck_dim",
  "key_rank",
  "expert_bank",
  "moe_depth",
  "latent_slots",
  "mixer_interval",
  "mixer_freq",
];
