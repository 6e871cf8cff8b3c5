import { own } from "../../../core/own.ts";
import { engineName, type Finding, type StartUpRule } from "../start-up-rule.ts";

interface Missing {
  readonly severity: Finding["severity"];
  /** Families that the engine has no class for. Others are not judged. */
  readonly types: readonly string[];
  readonly reason: string;
  readonly hint?: string;
}

/** Model types of research code, which no engine has a class for. */
const research = ["coe_deepseekv2", "flame_moe", "llama_moe"];

/** Model types that engines have no class for, as the table of families names them. */
export const missing: Readonly<Record<string, Missing>> = {
  "tensorrt-llm": {
    severity: "refusal",
    types: [
      ...research,
      "arctic",
      "aria",
      "bailing_hybrid",
      "bailing_moe",
      "bailing_moe_linear",
      "bailing_moe_v2",
      "cohere2_moe",
      "dbrx",
      "deepseek",
      "deepseek_v2",
      "dots1",
      "ernie4_5_moe",
      "flex_olmo",
      "granitemoe",
      "granitemoehybrid",
      "granitemoeshared",
      "grinmoe",
      "grok_1",
      "grok_2",
      "jamba",
      "lfm2_moe",
      "longcat_flash",
      "longcat_flash_ngram",
      "mimo_v2_flash",
      "minicpm",
      "minimax",
      "minimax_m1",
      "minimax_text_01",
      "olmoe",
      "pangu_pro_moe",
      "phimoe",
      "qwen3_omni_moe",
      "smallthinker",
      "step3",
      "xverse",
    ],
    reason: "has no class for it in its PyTorch backend",
    hint: "its AutoDeploy backend runs other models of transformers; its kernels are not those of the profile",
  },
  "llama.cpp": {
    severity: "refusal",
    types: [
      ...research,
      "longcat_flash",
      "longcat_flash_ngram",
      "minimax",
      "minimax_m1",
      "minimax_text_01",
      "pangu_pro_moe",
      "step3",
    ],
    reason: "has no architecture for it",
  },
  vllm: {
    severity: "warning",
    types: research,
    reason: "has no class for it; its transformers backend may run it, on other kernels",
  },
};

export const modelFamilies: StartUpRule = {
  about: "model families",
  engines: Object.keys(missing),
  says: "TensorRT-LLM and llama.cpp refuse models that they have no class for, of those that are known here; noted for vLLM",
  source:
    "TensorRT-LLM, tensorrt_llm/_torch/models/_arch_index.py; llama.cpp, src/llama-arch.cpp, LLM_ARCH_NAMES; vLLM, model_executor/models/registry.py (2026)",
  check(deployment) {
    const { model, engine } = deployment;
    const entry = own(missing, engine.id);
    if (entry?.types.includes(model.modelType) !== true) return [];
    const { severity, reason, hint } = entry;
    return [
      {
        severity,
        at: "engine.id",
        expected: `an engine with ${model.modelType}`,
        found: engine.id,
        reason: `${engineName(deployment)} ${reason}`,
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  },
};
