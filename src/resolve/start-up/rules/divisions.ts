import { divisionProblems } from "../../../sim/mapping.ts";
import { engineName, type Finding, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

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

/** Widths of feed-forward networks that tensor parallelism cuts beside the routed experts. */
export const evenWidths: StartUpRule = {
  about: "widths of dense layers and shared experts",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "refuse tensor parallelism that does not divide them",
  source:
    'vLLM, distributed/utils.py, divide: "... is not divisible by ...", in layers/linear.py; SGLang, distributed/utils.py: the same; TensorRT-LLM, _torch/modules/linear.py: assert out_features % tp_size == 0',
  check(deployment) {
    const { tp, dp } = deployment.mapping;
    for (const { feedForward } of deployment.model.layers) {
      if (feedForward.kind === "none") continue;
      const widths =
        feedForward.kind === "dense"
          ? { "dense layers": feedForward.width }
          : // Under data-parallel attention engines may hold shared experts whole.
            { "dense layers": feedForward.denseWidth, "shared experts": dp === 1 ? feedForward.sharedWidth : 0 };
      for (const [what, width] of Object.entries(widths))
        if (width % tp !== 0)
          return [
            {
              severity: "refusal",
              at: "parallel.tp",
              expected: `a divisor of ${width}, the width of ${what}`,
              found: tp,
              reason: `${engineName(deployment)} divides them over ranks evenly`,
            },
          ];
    }
    return [];
  },
};
