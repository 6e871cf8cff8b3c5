import { exchangeLibrary } from "../../../engine/exchange/expert-exchange.ts";
import { exchangesTokens, moeShape } from "../../../sim/mapping.ts";
import {
  type Deployment,
  engineName,
  type Finding,
  type StartUpRule,
  sglangBuilds,
  vllmBuilds,
} from "../start-up-rule.ts";

/** Experts of a layer, with their copies, that ranks cannot hold equally many of; null where every layer divides. */
function uneven({ model, mapping, expertsLeft, redundantExperts = 0 }: Deployment): number | null {
  const moe = moeShape(model);
  if (moe === null) return null;
  const layer = (expertsLeft ?? [moe.experts]).find((experts) => (experts + redundantExperts) % mapping.ep !== 0);
  return layer === undefined ? null : layer + redundantExperts;
}

const finding = (deployment: Deployment, severity: Finding["severity"], all: number, reason: string): Finding => ({
  severity,
  at: "parallel.ep",
  expected: `a divisor of ${all} experts${(deployment.redundantExperts ?? 0) > 0 ? " with their copies" : ""}`,
  found: deployment.mapping.ep,
  reason,
  hint: "policy.placement.redundant makes up the difference with copies",
});

export const evenExperts: StartUpRule = {
  about: "experts per rank",
  engines: [...sglangBuilds, "vllm-ascend", "vllm", "tensorrt-llm"],
  says: "SGLang and vLLM Ascend refuse expert parallelism that does not divide the experts, vLLM for DeepSeek-V4 alone, elsewhere it gives the first ranks one more; noted for TensorRT-LLM, which has it since May 2026 in part",
  source:
    "SGLang, layers/moe/fused_moe_triton/layer.py: assert num_experts % moe_ep_size == 0. vLLM Ascend, pull request 16384 (open). vLLM, layers/fused_moe/layer.py, determine_expert_map, and issue 52435 (DeepSeek-V4). TensorRT-LLM, pull request 13888",
  check(deployment) {
    const { engine, model } = deployment;
    const all = uneven(deployment);
    if (all === null || (engine.id === "vllm" && model.modelType !== "deepseek_v4")) return [];
    if (engine.id === "tensorrt-llm")
      return [
        finding(deployment, "warning", all, `${engineName(deployment)} gives every rank the same number of experts`),
      ];
    return [
      finding(deployment, "refusal", all, `${engineName(deployment)} asserts the same number of experts on every rank`),
    ];
  },
};

export const evenEplbExperts: StartUpRule = {
  about: "experts per rank under EPLB",
  engines: [...vllmBuilds],
  says: "vLLM refuses expert parallelism that does not divide the experts with their copies",
  source:
    'vLLM, layers/fused_moe/layer.py, under enable_eplb: "EPLB currently only supports even distribution of experts across ranks"',
  check(deployment) {
    const all = uneven(deployment);
    if (all === null || deployment.eplb !== true) return [];
    const reason = `${engineName(deployment)} with --enable-eplb asserts the same number of experts on every rank`;
    return [finding(deployment, "refusal", all, reason)];
  },
};

export const evenDeepEpExperts: StartUpRule = {
  about: "experts per rank under DeepEP",
  engines: ["vllm", "sglang", "tensorrt-llm"],
  says: "refuse expert parallelism that does not divide the experts",
  source: "deepseek-ai/DeepEP, csrc/deep_ep.cpp: EP_HOST_ASSERT(num_experts % num_ranks == 0)",
  check(deployment) {
    const { mapping, engine } = deployment;
    const all = uneven(deployment);
    if (all === null || !exchangesTokens(mapping) || exchangeLibrary(engine.expertExchange) !== "deepep") return [];
    // SGLang asserts it before DeepEP does.
    if (engine.id === "sglang") return [];
    return [finding(deployment, "refusal", all, `DeepEP under ${engineName(deployment)} asserts it`)];
  },
};
