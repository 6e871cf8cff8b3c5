import { moeShape, stageRanks } from "../../../sim/mapping.ts";
import { engineName, type StartUpRule, vllmBuilds } from "../start-up-rule.ts";

/** Expert parallelism of vLLM is a switch: all ranks hold whole experts, or all hold slices of all experts. */
export const vllmExpertLayouts: StartUpRule = {
  about: "experts over ranks",
  engines: [...vllmBuilds],
  says: "vLLM has whole experts on all tensor- and data-parallel ranks, or slices of all of them; anything between is noted",
  source: "vLLM, docs/serving/expert_parallel_deployment.md: --enable-expert-parallel, EP_SIZE = TP_SIZE x DP_SIZE",
  check(deployment) {
    const { mapping, model } = deployment;
    if (moeShape(model) === null || mapping.ep === 1 || mapping.etp === 1) return [];
    const ranks = stageRanks(mapping);
    return [
      {
        severity: "warning",
        at: "parallel.ep",
        expected: `1, or all ${ranks} ranks`,
        found: mapping.ep,
        reason: `${engineName(deployment)} has no flag for expert parallelism of ${mapping.ep} with slices over ${mapping.etp}: it holds whole experts on all ${ranks} ranks, or slices of all experts`,
        hint: "SGLang (--ep) and TensorRT-LLM (--ep_size) have one",
      },
    ];
  },
};

export const tensorrtLlmAttention: StartUpRule = {
  about: "attention over ranks",
  engines: ["tensorrt-llm"],
  says: "TensorRT-LLM has attention tensor-parallel over all ranks of a stage or data-parallel over all; refuses a mixture",
  source: "TensorRT-LLM, _torch/modules/attention.py: enable_attention_dp sets tensor parallelism of attention to 1",
  check(deployment) {
    const { tp, dp } = deployment.mapping;
    if (tp === 1 || dp === 1) return [];
    return [
      {
        severity: "refusal",
        at: "parallel.dp",
        expected: `1, or ${tp * dp} with parallel.tp 1`,
        found: dp,
        reason: `${engineName(deployment)} has one switch, enable_attention_dp: attention is data-parallel over all ranks or over none`,
      },
    ];
  },
};

const parallelisms = { dp: "data", cp: "context", ep: "expert", edp: "expert data" } as const;

export const llamaCppLayouts: StartUpRule = {
  about: "ranks of llama.cpp",
  engines: ["llama.cpp"],
  says: "llama.cpp refuses data, context and expert parallelism, and copies of all experts: it has none. Tensor parallelism is noted",
  source:
    "llama.cpp, tools/server/README.md: --split-mode none, layer, row or (experimental) tensor; no option for experts or data parallelism",
  check(deployment) {
    const { mapping } = deployment;
    const name = engineName(deployment);
    for (const key of ["dp", "cp", "ep", "edp"] as const)
      if (mapping[key] > 1)
        return [
          {
            severity: "refusal",
            at: `parallel.${key}`,
            expected: "1",
            found: mapping[key],
            reason: `${name} has no ${parallelisms[key]} parallelism`,
            hint:
              key === "ep" && mapping.tp > 1
                ? `parallel.etp ${mapping.tp} slices experts as --split-mode row does; parallel.pp splits layers`
                : "parallel.pp splits layers, parallel.replicas runs copies",
          },
        ];
    if (mapping.tp === 1) return [];
    return [
      {
        severity: "warning",
        at: "parallel.tp",
        expected: "1",
        found: mapping.tp,
        reason: `${name} splits matrices by --split-mode row, or tensor, which is experimental; both are forecast as the tensor parallelism of other engines`,
      },
    ];
  },
};
