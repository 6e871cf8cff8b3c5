import { exchangeLibrary } from "../../../engine/exchange/expert-exchange.ts";
import { moeShape } from "../../../sim/mapping.ts";
import { type Deployment, engineName, type Finding, type StartUpRule, sglangBuilds } from "../start-up-rule.ts";

/** Experts of a layer with their copies, and whether every rank gets the same number of them. */
function uneven({ model, mapping, redundantExperts = 0 }: Deployment): number | null {
  const moe = moeShape(model);
  if (moe === null) return null;
  const all = moe.experts + redundantExperts;
  return all % mapping.ep === 0 ? null : all;
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
  engines: [...sglangBuilds, "tensorrt-llm"],
  says: "SGLang refuses expert parallelism that does not divide the experts; noted for TensorRT-LLM. vLLM gives the first ranks one more",
  source:
    "SGLang, layers/moe/fused_moe_triton/layer.py: assert num_experts % moe_ep_size == 0. vLLM, layers/fused_moe/layer.py, determine_expert_map; even with EPLB",
  check(deployment) {
    const all = uneven(deployment);
    if (all === null) return [];
    if (deployment.engine.id === "tensorrt-llm")
      return [
        finding(deployment, "warning", all, `${engineName(deployment)} gives every rank the same number of experts`),
      ];
    return [
      finding(deployment, "refusal", all, `${engineName(deployment)} asserts the same number of experts on every rank`),
    ];
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
    if (all === null || mapping.dp === 1 || exchangeLibrary(engine.expertExchange) !== "deepep") return [];
    // SGLang asserts it before DeepEP does.
    if (engine.id === "sglang") return [];
    return [finding(deployment, "refusal", all, `DeepEP under ${engineName(deployment)} asserts it`)];
  },
};
