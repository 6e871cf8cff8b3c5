import { divisionProblems } from "../../../sim/mapping.ts";
import { engineName, type Finding, type StartUpRule } from "../start-up-rule.ts";

export const evenDivisions: StartUpRule = {
  about: "heads and widths",
  engines: "every",
  says: "refuse tensor parallelism that does not divide the query heads, nor the key-value heads or they it, and expert-tensor parallelism that does not divide the expert width; nothing overrules it",
  source:
    'vLLM, vllm/config/model.py: "Total number of attention heads must be divisible by tensor parallel size", layers/linear.py, QKVParallelLinear; SGLang, layers/linear.py: the same; TensorRT-LLM, _torch/modules/attention.py: assert num_heads % tp_size == 0',
  check: (deployment) =>
    divisionProblems(deployment.mapping, deployment.model).map(
      ({ at = "parallel", expected, found }): Finding => ({
        severity: "refusal",
        at,
        expected,
        found,
        reason: `${engineName(deployment)} divides them over ranks evenly`,
        final: true,
      }),
    ),
};
