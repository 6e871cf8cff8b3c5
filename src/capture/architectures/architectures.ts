import type { Architecture } from "./architecture.ts";
import { deepseekV2 } from "./deepseek-v2.ts";
import { deepseekV3 } from "./deepseek-v3.ts";
import { gptOss } from "./gpt-oss.ts";
import { mixtral } from "./mixtral.ts";
import { olmoe } from "./olmoe.ts";
import { panguProMoe } from "./pangu-pro-moe.ts";
import { qwen2Moe } from "./qwen2-moe.ts";
import { qwen3Moe } from "./qwen3-moe.ts";

/** Architectures that are executed, by the `model_type` of their config.json. */
export const architectures: Readonly<Record<string, Architecture>> = {
  deepseek_v2: deepseekV2,
  deepseek_v3: deepseekV3,
  gpt_oss: gptOss,
  kimi_k2: deepseekV3,
  mixtral,
  olmoe,
  PanguProMoE: panguProMoe,
  qwen2_moe: qwen2Moe,
  qwen3_moe: qwen3Moe,
};
