import { engineName, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

/** Heads of softmax attention are checked where a mapping is, for all engines; these are the others. */
export const linearHeads: StartUpRule = {
  about: "heads of linear attention and Mamba",
  engines: [...vllmBuilds, "vllm-ascend", ...sglangBuilds, "tensorrt-llm"],
  says: "refuse tensor parallelism that does not divide the heads, or the groups of Mamba-2 unless there is one (noted where weights are quantised)",
  source:
    'vLLM, layers/mamba/mamba_mixer2.py: "Tensor parallel world size must divide num heads", "... num_groups"; models/qwen3_next.py divides key and value heads. SGLang, layers/attention/mamba/mamba.py: the same',
  check(deployment) {
    const { model, mapping, formats } = deployment;
    const { tp } = mapping;
    const unquantised = formats.attention === "bf16" || formats.attention === "fp16";
    for (const { attention } of model.layers) {
      // The one state of Mamba-1 is cut by channels.
      if (attention.kind !== "linear" || attention.scan.rule === "selective") continue;
      const { heads, keyHeads, rule } = attention.scan;
      const mamba = rule === "decay";
      const [count, what] =
        heads % tp !== 0
          ? [heads, mamba ? "heads of Mamba" : "value heads of linear attention"]
          : [keyHeads, mamba ? "groups of Mamba" : "key heads of linear attention"];
      if (count % tp === 0) continue;
      // A single group is held by all ranks.
      const single = mamba && heads % tp === 0 && keyHeads === 1;
      if (single && unquantised) continue;
      return [
        {
          severity: single ? "warning" : "refusal",
          at: "parallel.tp",
          expected: `a divisor of ${count} ${what}`,
          found: tp,
          reason: single
            ? `${engineName(deployment)} holds a single group of Mamba on all ranks in quantised weights in its latest versions only`
            : `${engineName(deployment)} divides them over tensor-parallel ranks and holds none of them twice`,
        },
      ];
    }
    return [];
  },
};
