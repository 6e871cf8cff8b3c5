import type { Architecture } from "./architecture.ts";
import { mixtral } from "./mixtral.ts";
import { olmoe } from "./olmoe.ts";
import { qwen2Moe } from "./qwen2-moe.ts";
import { qwen3Moe } from "./qwen3-moe.ts";

/** Architectures that are executed, by `model_type`. */
export const architectures: Readonly<Record<string, Architecture>> = {
  mixtral,
  olmoe,
  qwen2_moe: qwen2Moe,
  qwen3_moe: qwen3Moe,
};
