import { engineName, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

/** Heads of softmax attention are checked where a mapping is, for all engines; these are the others. */
export const linearHeads: StartUpRule = {
  about: "heads of linear attention and Mamba",
  engines: [...vllmBuilds, "vllm-ascend", ...sglangBuilds, "tensorrt-llm"],
  says: "refuse tensor parallelism that does not divide the heads, or the groups of Mamba-2 unless there is one (and weights are not quantised)",
  source:
    'vLLM, layers/mamba/mamba_mixer2.py: "Tensor parallel world size must divide num heads", "... num_groups"; models/qwen3_next.py divides key and value heads. SGLang, layers/attention/mamba/mamba.py: the same',
  check(deployment) {
    const { model, mapping, formats } = deployment;
    const { tp } = mapping;
    for (const { attention } of model.layers) {
      // The one state of Mamba-1 is cut by channels.
      if (attention.kind !== "linear" || attention.scan.rule === "selective") continue;
      const { heads, keyHeads, rule } = attention.scan;
      const unquantised = formats.attention === "bf16" || formats.attention === "fp16";
      const shared = rule === "decay" && keyHeads === 1 && unquantised;
      const [count, what] =
        heads % tp !== 0
          ? [heads, rule === "decay" ? "heads of Mamba" : "value heads of linear attention"]
          : [keyHeads, rule === "decay" ? "groups of Mamba" : "key heads of linear attention"];
      if (count % tp === 0 || (count === keyHeads && shared)) continue;
      return [
        {
          severity: "refusal",
          at: "parallel.tp",
          expected: `a divisor of ${count} ${what}`,
          found: tp,
          reason: `${engineName(deployment)} divides them over tensor-parallel ranks and holds none of them twice`,
        },
      ];
    }
    return [];
  },
};
